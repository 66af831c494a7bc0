"""Statistics and movements of a series of closes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.replication.livieris2021.price_statistics import (
    count_movements,
    descriptive_statistics,
)


def test_moments_are_those_of_the_population() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=200)
    assert descriptive_statistics(values) == pytest.approx(
        {
            "min": values.min(),
            "max": values.max(),
            "mean": values.mean(),
            "std": values.std(),
            "median": np.median(values),
            "skewness": stats.skew(values),
            "kurtosis": stats.kurtosis(values),
        }
    )


def test_a_constant_series_has_no_skewness_or_kurtosis() -> None:
    statistics = descriptive_statistics(np.full(4, 0.3))
    assert (statistics["skewness"], statistics["kurtosis"]) == (None, None)


def test_movements_exclude_the_first_day_and_unchanged_days() -> None:
    # Up, flat, down, up.
    assert count_movements(np.array([1.0, 2.0, 2.0, 1.0, 3.0])) == pytest.approx(
        {"up": 2, "up_pct": 200 / 3, "down": 1, "down_pct": 100 / 3}
    )


def test_a_series_without_movements_has_no_shares() -> None:
    assert count_movements(np.ones(3)) == {"up": 0, "up_pct": None, "down": 0, "down_pct": None}

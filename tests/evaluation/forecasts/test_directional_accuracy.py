from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from engine.evaluation.forecasts.directional_accuracy import (
    measure_directional_accuracy,
    wilson_interval,
)
from tests.evaluation.forecasts.tables import forecast_table


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (3, 5), (55, 100), (100, 100)])
def test_wilsons_interval_equals_statsmodels(hits: int, rows: int) -> None:
    other = proportion_confint(hits, rows, alpha=0.1, method="wilson")
    assert wilson_interval(hits / rows, rows, 0.9) == pytest.approx(other, abs=1e-12)


def test_hit_share_and_up_share() -> None:
    accuracy = measure_directional_accuracy(
        forecast_table([1, 1, -1, -1, 0], [1, -1, -1, 1, 0]), 1, 0.95
    )
    assert accuracy
    assert (accuracy.rows, accuracy.hit_share, accuracy.up_share) == (5, 0.6, 0.4)


def test_only_down_forecasts_differ_from_always_up() -> None:
    rng = np.random.default_rng(6)
    accuracy = measure_directional_accuracy(
        forecast_table(rng.normal(size=300), rng.normal(0.1, 1, 300)), 1, 0.95
    )
    assert accuracy
    assert accuracy.down_hit_share is not None
    gap = (2 * accuracy.down_hit_share - 1) * accuracy.down_forecasts / accuracy.rows
    assert accuracy.hit_share - accuracy.up_share == pytest.approx(gap)
    always = measure_directional_accuracy(forecast_table(np.ones(9), np.ones(9)), 1, 0.95)
    assert always
    assert (always.down_forecasts, always.down_hit_share, always.beats_always_up(1, 0.95)) == (
        0,
        None,
        False,
    )


def test_random_forecasts_beat_always_up_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(7)
    better = [
        accuracy.beats_always_up(1, 0.9)
        for _ in range(400)
        if (
            accuracy := measure_directional_accuracy(
                forecast_table(rng.normal(size=100), rng.normal(size=100)), 1, 0.9
            )
        )
    ]
    # One side of a two-sided interval.
    assert np.mean(better) == pytest.approx(0.05, abs=0.025)


def test_right_down_forecasts_beat_always_up() -> None:
    outcomes = np.tile([1.0, -1.0], 50)
    accuracy = measure_directional_accuracy(forecast_table(outcomes, outcomes), 1, 0.95)
    assert accuracy
    assert accuracy.beats_always_up(1, 0.95)
    assert not accuracy.beats_always_up(20, 0.95)


def test_overlapping_outcomes_widen_the_interval() -> None:
    table = forecast_table(np.tile([1.0, -1.0], 50), np.ones(100))
    single, overlapping = (
        measure_directional_accuracy(table, 1, 0.95),
        measure_directional_accuracy(table, 5, 0.95),
    )
    assert single
    assert overlapping
    assert (overlapping.low, overlapping.high) == pytest.approx(wilson_interval(0.5, 20, 0.95))
    assert overlapping.low < single.low < single.high < overlapping.high


def test_no_forecast_has_no_direction() -> None:
    assert measure_directional_accuracy(forecast_table([], []), 1, 0.95) is None

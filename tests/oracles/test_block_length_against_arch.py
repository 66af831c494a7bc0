from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length as archs

from engine.evaluation.inference.stationary_bootstrap import optimal_block_length


def series(bars: int, coefficient: float, seed: int) -> np.ndarray:
    """An AR(1) with heavy tails."""
    values = 0.01 * np.random.default_rng(seed).standard_t(3, bars)
    for bar in range(1, bars):
        values[bar] += coefficient * values[bar - 1]
    return values


@pytest.mark.parametrize("bars", [30, 99, 250, 1_003])
@pytest.mark.parametrize("coefficient", [-0.9, 0.0, 0.4, 0.99])
def test_the_block_length_is_archs_to_the_last_digit(bars: int, coefficient: float) -> None:
    for seed in range(5):
        values = series(bars, coefficient, seed)
        result = optimal_block_length(values)
        assert result == max(1.0, archs(values)["stationary"].iloc[0])


@pytest.mark.parametrize("coefficient", [0.0, 0.9])
def test_the_block_length_of_many_bars_is_archs_within_rounding(coefficient: float) -> None:
    values = series(40_001, coefficient, 1)
    expected = archs(values)["stationary"].iloc[0]
    assert optimal_block_length(values) == pytest.approx(max(1.0, expected), rel=1e-9)


def test_dependent_series_need_longer_blocks_than_independent_ones() -> None:
    assert optimal_block_length(series(1_000, 0.8, 7)) > 4 * optimal_block_length(
        series(1_000, 0.0, 7)
    )

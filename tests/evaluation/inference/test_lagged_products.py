"""Sums over lags by transforms equal those bar by bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.inference.hac import long_run_variance
from engine.evaluation.inference.lagged_products import MANY_BARS, lagged_products
from engine.evaluation.inference.stationary_bootstrap import optimal_block_length
from tests.hypothesis_examples import examples


@examples(30)
@given(bars=st.integers(2, 200), share=st.floats(0.0, 1.0), seed=st.integers(0, 99))
def test_the_products_are_those_of_a_loop_over_lags(bars: int, share: float, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(bars)
    max_lag = int(share * (bars - 1))
    expected = [values[lag:] @ values[: bars - lag] for lag in range(max_lag + 1)]
    assert lagged_products(values, max_lag) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.95])
def test_a_series_of_many_bars_has_the_figures_of_one_that_is_just_short_enough(
    coefficient: float,
) -> None:
    """The last bar of the longer one is 0, so that both have nearly the same sums."""
    noise = np.random.default_rng(3).standard_normal(MANY_BARS)
    for bar in range(1, MANY_BARS):
        noise[bar] += coefficient * noise[bar - 1]
    noise -= noise.mean()
    longer = np.append(noise, 0.0)
    assert optimal_block_length(longer) == pytest.approx(optimal_block_length(noise), rel=1e-3)
    assert long_run_variance(longer) == pytest.approx(long_run_variance(noise), rel=1e-3)

"""Whether forecasts order the symbols of a bar: rank IC, decay, and returns by group."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.evaluation.forecasts.cross_section import measure_cross_section, rank_ic_by_bar

RNG = np.random.default_rng(17)
BARS, SYMBOLS = 400, 12
NOISE = RNG.standard_normal((BARS, SYMBOLS))
MARKET = RNG.standard_normal((BARS, 1))


def with_gaps(values: np.ndarray) -> np.ndarray:
    gappy = values.copy()
    gappy[RNG.random(values.shape) < 0.1] = np.nan
    return gappy


def test_the_rank_ic_of_a_bar_is_the_rank_correlation_of_what_both_have() -> None:
    predicted = with_gaps(np.round(NOISE, 1))
    outcome = with_gaps(np.round(predicted + RNG.standard_normal(predicted.shape), 1))
    found = rank_ic_by_bar(predicted, outcome)
    for row in range(0, BARS, 40):
        known = np.isfinite(predicted[row]) & np.isfinite(outcome[row])
        expected = spearmanr(predicted[row, known], outcome[row, known]).statistic
        assert found[row] == pytest.approx(expected, abs=1e-12)


def test_a_bar_with_two_symbols_or_equal_forecasts_has_none() -> None:
    two = np.array([[0.1, 0.2, np.nan], [0.1, 0.1, 0.1], [0.1, 0.2, 0.3]])
    found = rank_ic_by_bar(two, np.array([[1.0, 2.0, 3.0]] * 3))
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(1.0)


def test_the_order_of_symbols_is_seen_and_the_direction_of_the_market_is_not() -> None:
    outcome = 0.2 * NOISE + RNG.standard_normal(NOISE.shape) + 5 * MARKET
    found = measure_cross_section(NOISE, {1: outcome}, 1)
    assert found.rank_ic.mean == pytest.approx(0.19, abs=0.03)
    assert found.rank_ic.p_value < 1e-6
    assert found.spread.p_value < 1e-6
    assert len(found.group_returns) == 5
    market_only = measure_cross_section(MARKET + 1e-3 * NOISE, {1: 5 * MARKET - 0.1 * NOISE}, 1)
    assert market_only.rank_ic.mean == pytest.approx(-1.0)


def test_groups_are_as_large_and_their_mean_is_that_of_the_bars() -> None:
    ordered = np.tile(np.arange(10.0), (50, 1))
    found = measure_cross_section(ordered, {1: ordered}, 1)
    assert found.group_returns == (0.5, 2.5, 4.5, 6.5, 8.5)
    assert found.spread.mean == 8.0
    four = measure_cross_section(ordered[:, :4], {1: ordered[:, :4]}, 1)
    assert four.group_returns == (0.5, 2.5)


def test_the_decay_is_against_the_returns_of_each_horizon() -> None:
    soon, late = 0.3 * NOISE + RNG.standard_normal(NOISE.shape), NOISE[::-1]
    found = measure_cross_section(NOISE, {1: soon, 5: late}, 1)
    assert found.rank_ic == found.rank_ic_by_horizon[1]
    assert found.rank_ic_by_horizon[5].p_value > 0.01


@pytest.mark.slow
def test_on_noise_the_p_value_is_below_five_per_cent_as_often_as_it_says() -> None:
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        predicted, outcome = rng.standard_normal((2, 200, 6)) + rng.standard_normal((2, 200, 1))
        rejected += measure_cross_section(predicted, {1: outcome}, 1).rank_ic.p_value < 0.05
    assert 3 <= rejected <= 20


def test_two_symbols_have_no_section_and_no_forecasts_no_figures() -> None:
    assert measure_cross_section(NOISE[:, :2], {1: NOISE[:, :2]}, 1) is None
    nothing = measure_cross_section(np.full_like(NOISE, np.nan), {1: NOISE}, 1)
    assert nothing.rank_ic.mean is None
    assert nothing.spread.mean is None

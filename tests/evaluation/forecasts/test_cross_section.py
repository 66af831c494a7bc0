"""Whether forecasts order the symbols of a bar: rank IC, decay, and returns by group."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import spearmanr

from engine.evaluation.forecasts.cross_section import (
    measure_cross_section,
    overlapping_group_returns,
    rank_ic_by_bar,
)

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


def test_equal_forecasts_have_no_spread_and_no_order_of_the_columns_decides() -> None:
    outcome = NOISE + np.linspace(-1, 1, SYMBOLS)
    still = measure_cross_section(np.zeros_like(NOISE), {1: outcome}, 1)
    assert (still.spread.mean, still.spread.p_value, still.spread.bars) == (None, None, 0)
    assert set(still.group_returns) == {None}
    signs = np.sign(NOISE)
    found, mirrored = (
        measure_cross_section(signs[:, ::step], {1: outcome[:, ::step]}, 1) for step in (1, -1)
    )
    assert found.group_returns == pytest.approx(mirrored.group_returns)
    assert found.spread.t == pytest.approx(mirrored.spread.t)


def test_equal_forecasts_share_the_groups_of_their_ranks() -> None:
    forecast = np.tile([0.0, 0.0, 0.0, 1.0, 2.0], (40, 1))
    outcome = np.tile([3.0, 6.0, 9.0, 20.0, 40.0], (40, 1))
    some_equal = measure_cross_section(
        np.vstack([forecast, 0 * forecast]), {1: np.vstack([outcome] * 2)}, 1
    )
    # Of two groups the lower has three of the five ranks; of ten forecasts each group has two.
    assert some_equal.group_returns == (6.0, 30.0)
    assert some_equal.spread.bars == 40
    wide = measure_cross_section(np.hstack([forecast] * 2), {1: np.hstack([outcome] * 2)}, 1)
    assert wide.group_returns == (6.0, 6.0, 6.0, 20.0, 40.0)


def test_the_decay_is_against_the_returns_of_each_horizon() -> None:
    soon, late = 0.3 * NOISE + RNG.standard_normal(NOISE.shape), NOISE[::-1]
    found = measure_cross_section(NOISE, {1: soon, 5: late}, 1)
    assert found.rank_ic == found.rank_ic_by_horizon[1]
    assert found.rank_ic_by_horizon[5].p_value > 0.01


def persistent_forecasts(seed: int, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts with an autocorrelation of 0.97, and returns over so many bars without skill."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((950, 10))
    forecasts = lfilter([1], [1, -0.97], shocks, axis=0)[200:]
    prices = rng.standard_normal((750 + bars, 10)).cumsum(axis=0)
    return forecasts, prices[bars:] - prices[:-bars]


@pytest.mark.slow
@pytest.mark.parametrize("bars", [1, 5, 20])
def test_persistent_forecasts_without_skill_are_seldom_significant(bars: int) -> None:
    """Outcomes over 20 bars overlap: a standard error without that rejects 11 % of the time."""
    rejected = [
        measure_cross_section(forecasts, {bars: outcome}, bars).rank_ic.p_value < 0.05
        for forecasts, outcome in (persistent_forecasts(seed, bars) for seed in range(400))
    ]
    assert 0.02 < np.mean(rejected) < 0.075


def test_a_horizon_that_is_long_for_the_bars_has_a_mean_alone() -> None:
    found = measure_cross_section(NOISE[:70], {20: NOISE[:70] + MARKET[:70]}, 20)
    assert found.rank_ic.mean == pytest.approx(1.0)
    assert found.rank_ic.p_value is None
    assert found.spread.mean > 0
    assert (found.spread.t, found.spread.bars) == (None, 70)


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


def held_by_hand(predicted: np.ndarray, returns: np.ndarray, horizon: int) -> list[list[float]]:
    """Mean return of the third with the lowest forecasts and so on, held over the horizon."""
    bars, symbols = predicted.shape
    size = symbols // 3
    found: list[list[float]] = [[], [], []]
    for bar in range(bars):
        for group in range(3):
            held = []
            for formed in range(max(0, bar - horizon), bar):
                order = np.argsort(predicted[formed])[group * size : (group + 1) * size]
                held.append(returns[bar, order].mean())
            found[group].append(float(np.mean(held)) if held else np.nan)
    return found


@pytest.mark.parametrize("horizon", [1, 3])
def test_groups_are_held_over_the_horizon_from_the_next_bar_on(horizon: int) -> None:
    predicted, returns = NOISE[:40, :6], RNG.standard_normal((40, 6))
    found = overlapping_group_returns(predicted, returns, horizon)
    np.testing.assert_allclose(found, held_by_hand(predicted, returns, horizon), atol=1e-12)


def test_a_group_earns_nothing_of_the_bar_that_its_forecast_was_made_at() -> None:
    returns = RNG.standard_normal(NOISE.shape)
    groups = overlapping_group_returns(returns, returns, 1)
    spread = (groups[-1] - groups[0])[1:]
    assert abs(spread.mean()) < 4 * spread.std() / BARS**0.5

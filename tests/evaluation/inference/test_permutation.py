from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.inference.permutation import (
    FinancingRates,
    TimingTest,
    fill_to_fill_returns,
    timing_permutation_test,
)
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

FREE = Costs(fee_bps=0, slippage_bps=0)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def market(seed: int, bars: int, symbols: int = 1) -> np.ndarray:
    return 0.02 * rng(seed).standard_normal((bars, symbols)) + 0.001


def spells(seed: int, bars: int, symbols: int = 1) -> np.ndarray:
    """In or out, changing every tenth bar or so."""
    changes = rng(seed).random((bars, symbols)) < 0.1
    return (np.cumsum(changes, axis=0) % 2).astype(float)


def prices(seed: int, bars: int, symbols: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = pd.date_range("2020-01-01", periods=bars, tz="UTC", name="timestamp")
    names = [f"S{number}" for number in range(symbols)]
    steps = np.exp(np.cumsum(market(seed, 2 * bars, symbols), axis=0))
    opens, closes = (pd.DataFrame(steps[at::2], index, names) for at in (0, 1))
    return opens, closes


def by_a_loop(
    weights: np.ndarray, returns: np.ndarray, cash: np.ndarray | float = 0.0, rate: float = 0.0
) -> TimingTest:
    bars = len(weights)
    cash = np.broadcast_to(cash, bars)
    nearest = bars // 20
    ratios = []
    for shift in range(bars):
        moved, paid = np.roll(returns, -shift, axis=0), np.roll(cash, -shift)
        earned = (weights * moved).sum(axis=1) + (1 - weights.sum(axis=1)) * paid - rate
        ratios.append(earned.mean() / earned.std())
    others = np.array(ratios[nearest : bars - nearest + 1])
    p_value = (1 + np.sum(others >= ratios[0])) / (1 + len(others))
    return TimingTest(ratios[0], p_value, len(others), nearest)


@pytest.mark.parametrize("symbols", [1, 3, 40])
@pytest.mark.parametrize("bars", [60, 301])
def test_the_ratios_are_those_of_a_loop_over_the_shifts(bars: int, symbols: int) -> None:
    for seed in range(5):
        weights, returns = spells(seed, bars, symbols) - 0.3, market(seed + 50, bars, symbols)
        result, expected = timing_permutation_test(weights, returns), by_a_loop(weights, returns)
        assert result.sharpe == pytest.approx(expected.sharpe, rel=1e-9)
        assert (result.p_value, result.shifts, result.nearest_bars) == (
            expected.p_value,
            expected.shifts,
            expected.nearest_bars,
        )


def test_positions_without_timing_are_rejected_at_the_nominal_rate() -> None:
    p_values = [
        timing_permutation_test(spells(seed, 200), market(seed + 10_000, 200)).p_value
        for seed in range(1_000)
    ]
    for level in (0.05, 0.5):
        # Three standard errors of 1,000 draws.
        slack = 3 * np.sqrt(level * (1 - level) / 1_000)
        assert np.mean(np.array(p_values) <= level) == pytest.approx(level, abs=slack)


def test_positions_that_follow_the_past_of_an_unpredictable_market_show_no_timing() -> None:
    rejected = {1.0: 0, -1.0: 0}
    for seed in range(400):
        returns = market(seed, 300)
        past = pd.Series(returns[:, 0]).rolling(5).sum().shift(1).fillna(0.0).to_numpy()[:, None]
        for side in rejected:
            weights = (side * past > 0).astype(float)
            rejected[side] += timing_permutation_test(weights, returns).p_value <= 0.05
    assert all(count / 400 < 0.085 for count in rejected.values())


def test_positions_with_a_little_skill_are_detected() -> None:
    returns = market(1, 600)
    hint = returns[:, 0] + 0.08 * rng(2).standard_normal(600)
    result = timing_permutation_test((hint > 0).astype(float)[:, None], returns)
    assert result.p_value < 0.02


def test_a_perfect_oracle_has_the_smallest_possible_p_value() -> None:
    returns = market(3, 400)
    result = timing_permutation_test((returns > 0).astype(float), returns)
    assert result.p_value == 1 / (1 + result.shifts)


def test_bad_timing_is_no_evidence_of_good_timing() -> None:
    returns = market(4, 400)
    assert timing_permutation_test((returns < 0).astype(float), returns).p_value == 1.0


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, -0.4])
@pytest.mark.parametrize("price", ["open", "close"])
def test_a_book_that_is_always_in_or_never_has_no_timing(weight: float, price: str) -> None:
    opens, closes = prices(5, 300)
    targets = pd.DataFrame(weight, opens.index, opens.columns)
    execution = Execution(price=price)
    held = simulate(targets, opens, closes, costs=Costs(), execution=execution).held_weights
    assert timing_permutation_test(*fill_to_fill_returns(held, opens, closes, price)) is None


def test_no_test_below_thirty_bars() -> None:
    assert timing_permutation_test(spells(6, 29), market(6, 29)) is None


@pytest.mark.parametrize("symbols", [1, 2])
@pytest.mark.parametrize("price", ["open", "close"])
def test_weights_times_returns_are_what_the_book_earns_between_fills(
    price: str, symbols: int
) -> None:
    opens, closes = prices(7, 250, symbols)
    targets = pd.DataFrame(0.45 * spells(8, 250, symbols), opens.index, opens.columns)
    book = simulate(targets, opens, closes, costs=FREE, execution=Execution(price=price))
    weights, returns = fill_to_fill_returns(book.held_weights, opens, closes, price)
    growth = 1 + (weights * returns).sum(axis=1)
    if price == "close":
        np.testing.assert_allclose(growth, 1 + book.returns.to_numpy()[1:], rtol=1e-9)
    else:
        # From open to open the equity at the closes is reached by the last bar's own move.
        last = (book.held_weights * (1 - opens / closes)).sum(axis=1).iloc[-1]
        at_last_open = (1 + book.returns).prod() * (1 - last)
        assert growth.prod() == pytest.approx(at_last_open, rel=1e-9)


def test_weights_at_the_fill_do_not_contain_the_move_of_the_bar() -> None:
    # Half invested at each open anew: at the close it holds more of what rose.
    p_values = []
    for seed in range(60):
        opens, closes = prices(seed, 250)
        targets = pd.DataFrame(0.5 + 0.01 * spells(seed, 250), opens.index, opens.columns)
        book = simulate(targets, opens, closes, costs=FREE, execution=Execution(price="open"))
        result = timing_permutation_test(
            *fill_to_fill_returns(book.held_weights, opens, closes, "open")
        )
        p_values.append(result.p_value)
    # Three standard errors of 60 draws; with the weights at the closes, 0.18.
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.11)


@pytest.mark.parametrize("symbols", [1, 3])
def test_with_rates_it_compares_what_position_and_cash_earn_above_the_risk_free_rate(
    symbols: int,
) -> None:
    bars, rate = 301, 4e-4
    cash = 2e-4 + 1e-4 * rng(9).random(bars)
    for seed in range(5):
        weights, returns = spells(seed, bars, symbols) - 0.3, market(seed + 50, bars, symbols)
        rates = FinancingRates(cash, np.full(bars, rate))
        result = timing_permutation_test(weights, returns, rates)
        expected = by_a_loop(weights, returns, cash, rate)
        assert result.sharpe == pytest.approx(expected.sharpe, rel=1e-9)
        assert result.p_value == expected.p_value
        assert result.sharpe != pytest.approx(by_a_loop(weights, returns).sharpe, rel=1e-3)

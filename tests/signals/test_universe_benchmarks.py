"""Benchmarks of several symbols: what they hold, and when they are rebalanced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.portfolio import PortfolioSpec, TradingCalendar
from engine.signals.benchmarks import UniverseRule, compute_benchmark_weights
from engine.signals.config import FixedSizing, FixedThreshold
from engine.signals.decision_levels import DecisionSpec
from engine.signals.universe_benchmarks import (
    EqualWeight,
    MinimumVariance,
    Momentum,
    ShortTermReversal,
)
from engine.strategy import BENCHMARK_KINDS
from tests.hypothesis_examples import examples

DECISIONS = DecisionSpec(
    FixedThreshold(),
    FixedSizing(),
    max_weight=1.0,
    round_trip_cost=0.0,
    periods_per_year=365,
    portfolio=PortfolioSpec(rebalance=5),
    calendar=TradingCalendar("24/7", "1d"),
)
CHEAP = [
    EqualWeight(),
    Momentum(window=10, skip=2, quantile=0.4),
    Momentum(window=8, skip=0, side="long_short", rebalance="month_end"),
    ShortTermReversal(window=3, quantile=0.5),
    ShortTermReversal(side="long_short", rebalance="weekly"),
]


def closes_of(seed: int = 0, bars: int = 40, symbols: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.date_range("2021-01-18", periods=bars, tz="UTC", name="timestamp")
    moves = 0.02 * rng.standard_normal((bars, symbols))
    return pd.DataFrame(
        100 * np.exp(moves.cumsum(axis=0)), index=days, columns=list("ABCDEF"[:symbols])
    )


def weights_of(rule: UniverseRule, close: pd.DataFrame, first: int = 0) -> pd.DataFrame:
    return compute_benchmark_weights(rule, close, close.index[first:], 0.8, DECISIONS)


def rebalanced_at(weights: pd.DataFrame) -> list[int]:
    """Rows at which a weight changed, beside the first."""
    return np.flatnonzero(weights.diff().iloc[1:].any(axis=1)) + 1


def test_every_universe_benchmark_is_tested_here() -> None:
    kinds = {kind for kind in BENCHMARK_KINDS.built_in if issubclass(kind, UniverseRule)}
    assert kinds == {type(rule) for rule in CHEAP} | {MinimumVariance}


def test_equal_weight_places_an_order_for_every_symbol_at_each_rebalancing() -> None:
    weights = weights_of(EqualWeight(), closes_of(), first=3)
    np.testing.assert_allclose(weights, 0.16, rtol=1e-15)
    assert rebalanced_at(weights).tolist() == [5, 10, 15, 20, 25, 30, 35]
    assert weights.diff().iloc[5].all()


def test_equal_weight_of_the_symbols_that_have_a_close() -> None:
    close = closes_of(symbols=4)
    close.iloc[:, 1] = np.nan
    np.testing.assert_allclose(
        weights_of(EqualWeight(rebalance=1), close).iloc[-1], [0.8 / 3, 0, 0.8 / 3, 0.8 / 3]
    )


def test_momentum_is_the_return_without_its_last_bars() -> None:
    close = closes_of(1)
    rule = Momentum(window=10, skip=2, quantile=0.4, rebalance=1)
    weights = weights_of(rule, close)
    assert not weights.iloc[:10].to_numpy().any()
    for row in (10, 25, 39):
        past = close.iloc[row - 2] / close.iloc[row - 10] - 1
        due = past.rank(ascending=False) <= 2
        np.testing.assert_allclose(weights.iloc[row], np.where(due, 0.4, 0.0))


def test_reversal_is_long_what_fell_and_short_what_rose() -> None:
    close = closes_of(2)
    rule = ShortTermReversal(window=3, quantile=0.2, side="long_short", rebalance=1)
    weights = weights_of(rule, close)
    for row in (3, 17, 39):
        past = close.iloc[row] / close.iloc[row - 3] - 1
        assert weights.iloc[row].idxmax() == past.idxmin()
        assert weights.iloc[row].idxmin() == past.idxmax()
    np.testing.assert_allclose(weights.iloc[3:].abs().sum(axis=1), 0.8)
    np.testing.assert_allclose(weights.sum(axis=1), 0.0, atol=1e-15)


def test_a_rule_is_rebalanced_with_the_strategy_unless_it_says_when() -> None:
    close = closes_of(3)
    with_strategy, own = ShortTermReversal(window=2), ShortTermReversal(window=2, rebalance=7)
    assert set(rebalanced_at(weights_of(with_strategy, close, 2))) <= set(range(0, 40, 5))
    assert set(rebalanced_at(weights_of(own, close, 2))) <= set(range(0, 40, 7))
    monthly = replace(DECISIONS, portfolio=PortfolioSpec(rebalance="month_end"))
    found = compute_benchmark_weights(with_strategy, close, close.index[2:], 1.0, monthly)
    days = found.index[rebalanced_at(found)]
    assert [f"{day:%m-%d}" for day in days] == ["01-31"]


@pytest.mark.parametrize("rule", CHEAP, ids=lambda rule: rule.kind)
@examples(20)
@given(seed=st.integers(0, 10**6), t=st.integers(15, 38))
def test_closes_after_a_bar_change_no_weight_at_or_before_it(
    rule: UniverseRule, seed: int, t: int
) -> None:
    close, other = closes_of(seed), closes_of(seed)
    other.iloc[t + 1 :] = closes_of(seed + 1).iloc[t + 1 :] * 3
    one, two = (weights_of(rule, each, 12).loc[: close.index[t]] for each in (close, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    early = weights_of(rule, close.iloc[: t + 1], 12)
    pd.testing.assert_frame_equal(one, early, check_exact=True, check_freq=False)


@pytest.mark.slow
def test_minimum_variance_holds_all_symbols_from_its_first_whole_window_on() -> None:
    close = closes_of(4)
    weights = weights_of(MinimumVariance(window=20), close)
    assert not weights.iloc[:20].to_numpy().any()
    np.testing.assert_allclose(weights.iloc[20:].sum(axis=1), 0.8)
    assert set(rebalanced_at(weights)) <= set(range(0, 40, 5))
    other = close.copy()
    other.iloc[31:] *= np.linspace(1, 9, 45).reshape(9, 5)
    found = weights_of(MinimumVariance(window=20), other)
    pd.testing.assert_frame_equal(weights.iloc[:31], found.iloc[:31], check_exact=True)
    assert not weights.iloc[35:].equals(found.iloc[35:])


def test_a_momentum_ends_after_it_begins() -> None:
    with pytest.raises(ValidationError, match="skip"):
        Momentum(window=20, skip=20)

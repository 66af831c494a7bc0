"""A book that knows rare bars: every book is decided and filled before a fall and before a rally.

A fall of three standard deviations follows hardly any cutoff by chance. What a book does before
one is seen only where one is made to follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import LookaheadError
from engine.leakage.book_probe import find_unmet_rows
from engine.pipeline import steps
from engine.selftest.harness import certify_strategy, make_strategy
from engine.selftest.synthetic_markets import random_walk_market
from engine.signals import orders
from engine.signals.benchmarks import MovingAverageCrossover
from engine.signals.sizing import FixedSizing

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.strategy import Strategy

WINDOWS = {"train": 300, "validation": 50, "test": 100}
BARS = 800
MANY_SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6)]
SEEDS = [0, *MANY_SEEDS]


def market_of(seed: int) -> Market:
    return random_walk_market(np.random.default_rng(seed), BARS)


def strategy_of(side: str = "long_short", price: str = "open") -> Strategy:
    return make_strategy(
        windows=WINDOWS,
        signal={"kind": "threshold", "enter_bps": 1, "exit_bps": 0, "side": side},
        costs={"fee_bps": 2, "slippage_bps": 1},
        execution={"price": price},
    )


def leak_of(spec: Strategy, market: Market) -> LookaheadError:
    with pytest.raises(LookaheadError) as caught:
        certify_strategy(spec, market)
    return caught.value


def next_close(market: Market) -> WideFrame:
    close = market.wide("close")
    return close.shift(-1) / close - 1


def next_gap(market: Market) -> WideFrame:
    return market.wide("open").shift(-1) / market.wide("close") - 1


def within_the_next_bar(market: Market) -> WideFrame:
    return (market.wide("close") / market.wide("open")).shift(-1) - 1


def next_low(market: Market) -> WideFrame:
    return market.wide("low").shift(-1) / market.wide("close") - 1


def next_high(market: Market) -> WideFrame:
    return market.wide("high").shift(-1) / market.wide("close") - 1


def next_week(market: Market) -> WideFrame:
    close = market.wide("close")
    return close.shift(-5) / close - 1


def next_range(market: Market) -> WideFrame:
    return (market.wide("high") / market.wide("low")).shift(-1) - 1


def next_volume(market: Market) -> WideFrame:
    volume = market.wide("volume")
    return volume.shift(-1) / volume.rolling(20).mean().bfill() - 1


PEEKS = {
    "a close 3 % lower": lambda market: next_close(market) < -0.03,
    "a close 3 % higher": lambda market: next_close(market) > 0.03,
    "an open 1 % lower": lambda market: next_gap(market) < -0.01,
    "an open 1 % higher": lambda market: next_gap(market) > 0.01,
    "a bar that falls 3 %": lambda market: within_the_next_bar(market) < -0.03,
    "a bar that rises 3 %": lambda market: within_the_next_bar(market) > 0.03,
    "a low 4 % lower": lambda market: next_low(market) < -0.04,
    "a high 4 % higher": lambda market: next_high(market) > 0.04,
    "a week that falls 8 %": lambda market: next_week(market) < -0.08,
    "a week that rises 8 %": lambda market: next_week(market) > 0.08,
    "a range of 5 %": lambda market: next_range(market) > 0.05,
    "a volume of five times the usual": lambda market: next_volume(market) > 4,
    "a volume of a tenth of the usual": lambda market: next_volume(market) < -0.9,
}


def decide_knowing(monkeypatch: pytest.MonkeyPatch, peek: Callable) -> None:
    honest = steps.decide_model_positions

    def knowing(spec, prepared, predictions):
        weights = honest(spec, prepared, predictions)
        known = peek(prepared.market).loc[weights.index, weights.columns]
        return weights.where(~known, 0.0)

    monkeypatch.setattr(steps, "decide_model_positions", knowing)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if i else ()) for i, name in enumerate(PEEKS)],
)
def test_a_strategy_that_is_flat_before_a_rare_bar(name: str, monkeypatch) -> None:
    decide_knowing(monkeypatch, PEEKS[name])
    assert leak_of(strategy_of(), market_of(0)).where.startswith("positions: strategy")


@pytest.mark.slow
@pytest.mark.parametrize("side", ["long_only", "long_short"])
@pytest.mark.parametrize("seed", range(10))
def test_a_strategy_that_is_flat_before_each_fall_in_every_market(seed, side, monkeypatch) -> None:
    decide_knowing(monkeypatch, PEEKS["a close 3 % lower"])
    assert leak_of(strategy_of(side), market_of(seed)).where.startswith("positions: strategy")


@pytest.mark.parametrize("low", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_strategy_that_is_flat_before_a_rare_forecast(low: bool, monkeypatch) -> None:
    honest = steps.compute_target_weights

    def knowing(forecasts, *given, **terms):
        weights = honest(forecasts, *given, **terms)
        later = forecasts.predicted.shift(-1)
        return weights.where(~(later < -0.05 if low else later > 0.05), 0.0)

    monkeypatch.setattr(steps, "compute_target_weights", knowing)
    assert leak_of(strategy_of(), market_of(0)).where.startswith("positions: strategy")


@pytest.mark.slow
@pytest.mark.parametrize("factor", [-1, 1])
@pytest.mark.parametrize("seed", range(5))
def test_a_size_that_is_halved_before_a_fall_or_a_rally(seed, factor, monkeypatch) -> None:
    honest = FixedSizing.compute_sizes

    def knowing(sizing, forecasts, close, periods):
        sizes = honest(sizing, forecasts, close, periods)
        moves = (close.shift(-1) / close - 1).loc[sizes.index, sizes.columns]
        return sizes.where(~(factor * moves > 0.03), 0.5 * sizes)

    monkeypatch.setattr(FixedSizing, "compute_sizes", knowing)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("positions: strategy")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_benchmark_rule_that_is_flat_before_each_fall(seed: int, monkeypatch) -> None:
    honest = MovingAverageCrossover.compute_positions

    def knowing(rule, close):
        return honest(rule, close).where(~(close.shift(-1) / close - 1 < -0.03), 0.0)

    monkeypatch.setattr(MovingAverageCrossover, "compute_positions", knowing)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("positions: ma_crossover")


@pytest.mark.slow
@pytest.mark.parametrize("side", ["a long", "flat"])
@pytest.mark.parametrize("seed", range(5))
def test_a_rule_that_is_seldom_in_the_market_or_seldom_out_of_it(seed, side, monkeypatch) -> None:
    """It holds, or does not, on a few bars of the year, and knows of the fall or rally then."""

    def seldom(_, close):
        moves = close.pct_change()
        rare = moves < moves.shift().rolling(250, min_periods=50).quantile(0.015)
        later = close.shift(-1) / close - 1
        if side == "a long":
            return (rare & ~(later < -0.03)).astype(float)
        return (~rare | (later > 0.03)).astype(float)

    monkeypatch.setattr(MovingAverageCrossover, "compute_positions", seldom)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("positions: ma_crossover")


def test_one_more_row_is_met_for_each_position_that_no_cutoff_has() -> None:
    always = pd.DataFrame({"X": [1.0] * 8})
    seldom = pd.DataFrame({"X": [0.0, 0.0, 0.5, 0.0, -0.5, -0.5, 0.0, 1.0]})
    assert find_unmet_rows([always, seldom], {0, 3}) == [2, 5]
    assert find_unmet_rows([always, seldom], {0, 2, 4}) == []
    assert find_unmet_rows([seldom.iloc[:1]], set()) == []


def drop(due: WideFrame, known: WideFrame) -> WideFrame:
    return due.where(~known)


def move(due: WideFrame, known: WideFrame) -> WideFrame:
    """To the next bar, where no later order is due."""
    return due.where(~known).fillna(due.where(known).shift())


FILL_PEEKS = {
    "falls": lambda opens, closes: closes / opens - 1 < -0.03,
    "rises": lambda opens, closes: closes / opens - 1 > 0.03,
}


def fill_knowing(
    monkeypatch: pytest.MonkeyPatch, change: Callable, peek: Callable, *, bars_later: int
) -> None:
    """Orders are changed where the bar so many after the one that fills them is known."""
    honest_all, honest_orders, known = steps.simulate_all, orders.schedule_orders, {}

    def knowing(books, opens, closes, **terms):
        known["bars"] = peek(opens, closes).shift(-bars_later, fill_value=False)
        return honest_all(books, opens, closes, **terms)

    def scheduled(weights, delay, lags=None):
        due = honest_orders(weights, delay, lags)
        return change(due, known["bars"].loc[due.index, due.columns])

    monkeypatch.setattr(steps, "simulate_all", knowing)
    monkeypatch.setattr("engine.simulation.portfolio.schedule_orders", scheduled)


@pytest.mark.parametrize("change", [drop, pytest.param(move, marks=pytest.mark.slow)])
@pytest.mark.parametrize("peek", ["falls", pytest.param("rises", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_that_is_dropped_or_moved_where_its_bar(seed, peek, change, monkeypatch) -> None:
    fill_knowing(monkeypatch, change, FILL_PEEKS[peek], bars_later=0)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("fills:")


@pytest.mark.slow
@pytest.mark.parametrize("change", [drop, move])
@pytest.mark.parametrize("peek", list(FILL_PEEKS))
@pytest.mark.parametrize("price", ["open", "close"])
@pytest.mark.parametrize("seed", range(2))
def test_an_order_that_is_dropped_or_moved_where_the_bar_after_it(
    seed, price, peek, change, monkeypatch
) -> None:
    fill_knowing(monkeypatch, change, FILL_PEEKS[peek], bars_later=1)
    assert leak_of(strategy_of(price=price), market_of(seed)).where.startswith("fills:")


@pytest.mark.slow
@pytest.mark.parametrize("side", ["long_only", "long_short"])
@pytest.mark.parametrize("price", ["open", "close"])
@pytest.mark.parametrize("seed", range(3))
def test_an_honest_book_is_certified(seed: int, price: str, side: str) -> None:
    assert certify_strategy(strategy_of(side, price), market_of(seed)).result == "passed"


TURNS = {
    "the end of a long": lambda before, weight: (before > 0) & (weight == 0),
    "the end of a short": lambda before, weight: (before < 0) & (weight == 0),
    "a long": lambda before, weight: (before == 0) & (weight > 0),
    "a short": lambda before, weight: (before == 0) & (weight < 0),
    "a reversal to short": lambda before, weight: (before > 0) & (weight < 0),
    "a reversal to long": lambda before, weight: (before < 0) & (weight > 0),
}


@pytest.mark.parametrize(
    "turn",
    [pytest.param(name, marks=pytest.mark.slow if i else ()) for i, name in enumerate(TURNS)],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_one_kind_of_turn_is_filled_at_the_bar_whose_close_decided_it(
    seed: int, turn: str, monkeypatch
) -> None:
    honest = orders.schedule_orders

    def early(weights: WideFrame, delay: int, lags: WideFrame | None = None) -> WideFrame:
        due = honest(weights, delay, lags)
        known = TURNS[turn](weights.shift(fill_value=0.0), weights)
        return due.where(~known.shift(delay, fill_value=False)).where(~known, weights)

    monkeypatch.setattr("engine.simulation.portfolio.schedule_orders", early)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("fills:")


@pytest.mark.slow
@pytest.mark.parametrize("turn", [name for name in TURNS if "reversal" not in name])
@pytest.mark.parametrize("seed", range(2))
def test_one_kind_of_turn_is_not_taken_before_a_fall(seed: int, turn: str, monkeypatch) -> None:
    honest = steps.decide_model_positions

    def knowing(spec, prepared, predictions):
        weights = honest(spec, prepared, predictions)
        falls = next_close(prepared.market).loc[weights.index, weights.columns] < -0.03
        before = weights.shift(fill_value=0.0)
        return weights.where(~(TURNS[turn](before, weights) & falls), before)

    monkeypatch.setattr(steps, "decide_model_positions", knowing)
    assert leak_of(strategy_of(), market_of(seed)).where.startswith("positions: strategy")

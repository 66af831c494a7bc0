"""Decisions and fills are those of a replay that is shown one bar after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import LookaheadError
from engine.leakage.replay import check_decisions, check_fills
from engine.pipeline import steps
from engine.pipeline.executor import make_executor
from engine.selftest.harness import make_strategy, run_backtest
from engine.selftest.synthetic_markets import random_walk_market
from engine.training.store import FitStore

BARS = 600
WINDOWS = {"train": 200, "validation": 40, "test": 120}
TERMS = {
    "plain": {},
    "short too": {"signal": {"kind": "quantile", "enter": 0.6, "exit": 0.5, "side": "long_short"}},
    "sized by volatility": {
        "sizing": {"kind": "volatility_target", "target_pct_per_year": 10, "window": 20}
    },
    "at closes": {"execution": {"price": "close", "delay": 2}, "costs": {"fee_bps": 3}},
    "with margin calls": {
        "execution": {"maintenance_margin": 0.97},
        "costs": {"fee_bps": 10, "borrow_bps_per_year": 50},
        "signal": {"kind": "quantile", "enter": 0.6, "exit": 0.5, "side": "long_short"},
    },
}


def halted_market():
    """Bars at which nothing trades, so that orders wait."""
    market = random_walk_market(np.random.default_rng(3), BARS)
    bars = market.bars.copy()
    still = np.random.default_rng(4).random(len(bars)) < 0.1
    bars.loc[still, "volume"] = 0.0
    close = bars["close"].shift(1).fillna(bars["open"])
    for column in ("open", "high", "low", "close"):
        bars.loc[still, column] = close[still]
    return replace(market, bars=bars)


def result_of(terms: str, market=None):
    spec = make_strategy(windows=WINDOWS, **TERMS[terms])
    bars = random_walk_market(np.random.default_rng(11), BARS) if market is None else market
    executor = make_executor(spec, 1, Path())
    return run_backtest(spec, bars, executor, FitStore(Path("fits")))  # ridge stores nothing


@pytest.fixture(scope="module")
def run():
    return result_of("short too")


@pytest.mark.parametrize("terms", list(TERMS))
def test_the_runs_of_the_engine_are_their_replay(terms: str) -> None:
    run = result_of(terms)
    check_decisions(run.spec, run.prepared, run.predictions, run.weights)
    check_fills(run.spec, run.prepared, run.weights, run.books)
    assert any(len(book.trades) > 10 for book in run.books.values())


def test_orders_that_wait_for_a_trade_are_replayed() -> None:
    run = result_of("short too", halted_market())
    assert len(run.books["strategy"].waits)
    check_fills(run.spec, run.prepared, run.weights, run.books)


def with_weight(run, row: int, weight: float):
    own = run.weights["strategy"].copy()
    own.iloc[row, 0] = weight
    return {**run.weights, "strategy": own}


@pytest.mark.parametrize("row", [3, 100, 200, -1])
def test_a_position_that_was_not_decided_at_one_bar_is_named(run, row: int) -> None:
    before = run.weights["strategy"].iloc[row, 0]
    weights = with_weight(run, row, 0.0 if before else 0.5)
    with pytest.raises(LookaheadError) as caught:
        check_decisions(run.spec, run.prepared, run.predictions, weights)
    assert caught.value.where.startswith("positions: strategy")
    assert f"{run.prepared.span[row]:%Y-%m-%d}" in caught.value.where


def test_a_size_that_changes_while_a_position_is_held_is_named(run) -> None:
    own = run.weights["strategy"].iloc[:, 0].to_numpy()
    held = np.flatnonzero((own[1:] == own[:-1]) & (own[1:] != 0.0)) + 1
    weights = with_weight(run, int(held[0]), 0.9 * own[held[0]])
    with pytest.raises(LookaheadError, match="position of strategy"):
        check_decisions(run.spec, run.prepared, run.predictions, weights)


def without_fill(trades, place: int):
    return trades.drop(index=place).reset_index(drop=True)


def a_bar_later(trades, place: int):
    moved = trades.copy()
    moved.loc[place, "timestamp"] += moved["timestamp"].diff().min()
    return moved


def larger(trades, place: int):
    grown = trades.copy()
    grown.loc[place, "size"] *= 1.01
    return grown


def better_price(trades, place: int):
    cheaper = trades.copy()
    cheaper.loc[place, "price"] *= 0.999
    return cheaper


@pytest.mark.parametrize("change", [without_fill, a_bar_later, larger, better_price])
@pytest.mark.parametrize("place", [0, 5])
def test_one_fill_that_is_not_that_of_its_decision_is_named(run, change, place: int) -> None:
    own = run.books["strategy"]
    books = {**run.books, "strategy": replace(own, trades=change(own.trades, place))}
    with pytest.raises(LookaheadError) as caught:
        check_fills(run.spec, run.prepared, run.weights, books)
    assert caught.value.where.startswith("fills: strategy at ")


def test_an_order_filled_on_the_bar_of_its_decision_is_named(run) -> None:
    """Weights a bar earlier are orders without a delay, at every bar alike."""
    early = {book: own.shift(-1).ffill() for book, own in run.weights.items()}
    books = steps.simulate_books(run.spec, run.prepared, early)
    with pytest.raises(LookaheadError):
        check_fills(run.spec, run.prepared, run.weights, books)

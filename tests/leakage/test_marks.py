"""Equity is cash and units x close at every bar: a book that is marked otherwise has no result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import LookaheadError
from engine.leakage.marks import check_marks
from engine.pipeline import steps
from engine.pipeline.prepare import prepare_data
from engine.selftest.harness import certify_strategy, make_strategy
from engine.selftest.synthetic_markets import random_walk_market
from engine.simulation import book_values

if TYPE_CHECKING:
    from engine.simulation.portfolio import SimulationResult

BARS = 600
WINDOWS = {"train": 200, "validation": 40, "test": 120}
TERMS = {
    "without costs": {},
    "with fees": {"costs": {"fee_bps": 10, "slippage_bps": 5}},
    "with borrow costs": {"costs": {"fee_bps": 10, "borrow_bps_per_year": 3000}},
    "with interest": {"rates": {"cash": 0.05}, "costs": {"borrow_bps_per_year": 100}},
    "at closes": {"execution": {"price": "close", "delay": 2}, "costs": {"fee_bps": 3}},
    "with margin calls": {
        "execution": {"maintenance_margin": 0.97},
        "costs": {"fee_bps": 10, "borrow_bps_per_year": 50},
    },
}


@pytest.fixture(scope="module")
def market():
    return random_walk_market(np.random.default_rng(11), BARS)


def simulated(market, **terms: object):
    """A book that turns every third bar, long, flat and short."""
    spec = make_strategy(windows=WINDOWS, **terms)
    prepared = prepare_data(spec, market)
    sides = np.array([1.0, 0.0, -1.0, -1.0, 1.0])[np.arange(len(prepared.span)) // 3 % 5]
    weights = 0.0 * prepared.target_close.loc[prepared.span]
    weights += sides[:, None]
    return spec, prepared, steps.simulate_books(spec, prepared, {"book": weights})


@pytest.mark.parametrize("terms", list(TERMS))
def test_the_books_of_the_engine_add_up(market, terms: str) -> None:
    spec, prepared, books = simulated(market, **TERMS[terms])
    check_marks(spec, prepared, books)
    assert len(books["book"].trades) > 20


@pytest.mark.parametrize("terms", ["without costs", "with borrow costs"])
def test_the_books_of_a_ruined_account_add_up(market, terms: str) -> None:
    _, prepared, _ = simulated(market)
    bars = market.bars.copy()
    later = bars["timestamp"] >= prepared.span[158]  # while it is short
    bars.loc[later, ["open", "high", "low", "close"]] *= 40.0
    spec, prepared, books = simulated(replace(market, bars=bars), **TERMS[terms])
    assert books["book"].returns.min() == -1.0
    check_marks(spec, prepared, books)


def at_the_next_close(result: SimulationResult, row: int) -> SimulationResult:
    """One bar's gain is booked on the bar before."""
    returns = result.returns.copy()
    growth = 1.0 + returns.to_numpy()
    both = growth[row] * growth[row + 1]
    returns.iloc[row], returns.iloc[row + 1] = both - 1.0, 0.0
    return replace(result, returns=returns)


def clipped(result: SimulationResult, row: int) -> SimulationResult:
    returns = result.returns.copy()
    returns.iloc[row] = 0.5 * returns.iloc[row]
    return replace(result, returns=returns)


def early(result: SimulationResult, row: int) -> SimulationResult:
    returns = result.returns.copy()
    returns.iloc[row:-1] = result.returns.iloc[row + 1 :].to_numpy()
    return replace(result, returns=returns)


def without_fee(result: SimulationResult, _: int) -> SimulationResult:
    trades = result.trades.copy()
    trades.loc[len(trades) // 2, "fee"] = 0.0
    return replace(result, trades=trades)


def without_borrow(result: SimulationResult, _: int) -> SimulationResult:
    financing = result.financing.copy()
    last = np.flatnonzero(financing["borrow"].to_numpy())[-1]
    financing.iloc[last, financing.columns.get_loc("borrow")] = 0.0
    return replace(result, financing=financing)


def without_interest(result: SimulationResult, _: int) -> SimulationResult:
    financing = result.financing.copy()
    last = np.flatnonzero(financing["interest"].to_numpy())[-1]
    financing.iloc[last, financing.columns.get_loc("interest")] = 0.0
    return replace(result, financing=financing)


def without_call(result: SimulationResult, _: int) -> SimulationResult:
    return replace(result, margin_calls=result.margin_calls[1:])


def held_otherwise(result: SimulationResult, row: int) -> SimulationResult:
    held = result.held_weights.copy()
    held.iloc[row] = held.iloc[row + 1] + 0.01
    return replace(result, held_weights=held)


PLANTS = [
    (at_the_next_close, "with fees", "return"),
    (clipped, "without costs", "return"),
    (early, "with fees", "return"),
    (without_fee, "with fees", "fee"),
    (without_borrow, "with borrow costs", "borrow"),
    (without_interest, "with interest", "interest"),
    (without_call, "with margin calls", "margin call"),
    (held_otherwise, "with fees", "holding of"),
]


@pytest.mark.parametrize(("plant", "terms", "figure"), PLANTS)
def test_one_figure_of_one_bar_that_is_another_one_is_refused(
    market, plant, terms, figure
) -> None:
    spec, prepared, books = simulated(market, **TERMS[terms])
    wrong = plant(books["book"], 150)
    with pytest.raises(LookaheadError) as caught:
        check_marks(spec, prepared, {"book": wrong})
    assert caught.value.where.startswith(f"fills: book {figure}")
    assert "do not add up" in caught.value.problem


def test_a_book_that_is_marked_at_the_next_close_on_one_bar(market, monkeypatch) -> None:
    honest = book_values.mark_fills

    def knowing(fills, due, terms):
        closes = terms.closes.copy()
        closes.iloc[200] = closes.iloc[201]
        return honest(fills, due, replace(terms, closes=closes))

    monkeypatch.setattr(book_values, "mark_fills", knowing)
    with pytest.raises(LookaheadError, match="do not add up") as caught:
        certify_strategy(make_strategy(windows=WINDOWS), market)
    assert "return" in caught.value.where
    assert f"{market.wide('close').index[240 + 200]:%Y-%m-%d}" <= caught.value.where[-10:]

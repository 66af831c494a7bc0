"""Orders that wait for the first bar which opens at or after their decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.signals.orders import find_pending_orders, schedule_orders
from engine.simulation.config import Execution
from engine.simulation.costs import Costs
from tests.data.exchanges import assemble
from tests.data.test_assembly import market_of
from tests.hypothesis_examples import examples
from tests.simulation.folded_books import Case, assert_fold_equals_simulation

if TYPE_CHECKING:
    from engine.core.types import WideFrame

EXCHANGES = {"SYDNEY": "XASX", "COIN": "24/7", "CHICAGO": "CMES"}


def random_case(seed: int, delay: int, *, cash_rate: float = 0.0) -> Case:
    """A book on three exchanges whose weights change at a third of the closes."""
    rng = np.random.default_rng(seed)
    world = assemble(EXCHANGES, 40, panel=True, seed=seed % 7)
    market = market_of(world, world.join()[0])
    changes = rng.random(market.present.shape) < 0.35
    weights = pd.DataFrame(
        rng.choice([0.0, 0.2, 0.3, -0.2], market.present.shape),
        market.present.index,
        market.present.columns,
    )
    weights = weights.where(changes).ffill().fillna(0.0)
    opens, closes = market.tradable("open"), market.tradable("close")
    lags = market.fill_lags("open")
    assert lags is not None
    return Case(
        weights,
        opens,
        closes,
        Costs(fee_bps=2.0, slippage_bps=1.0),
        Execution(delay=delay),
        market.traded,
        cash_rate,
        lags,
        market.price_instants("open"),
        market.decided_at,
    )


def brute_force(weights: WideFrame, delay: int, lags: WideFrame) -> WideFrame:
    """Decision by decision: each replaces what is due at its row, in the order of decisions."""
    due = pd.DataFrame(np.nan, weights.index, weights.columns)
    for place, symbol in enumerate(weights.columns):
        in_force = np.zeros(len(weights))
        for row in range(len(weights)):
            first = row + max(delay, int(lags.iloc[row, place]))
            in_force[first:] = weights.iloc[row, place]
        previous = np.concatenate([[0.0], in_force[:-1]])
        due[symbol] = np.where(in_force != previous, in_force, np.nan)
    return due


@examples(15)
@given(seed=st.integers(0, 10_000), delay=st.integers(1, 3))
def test_an_order_is_due_where_its_price_is_not_before_its_decision(seed, delay) -> None:
    case = random_case(seed, delay)
    found = schedule_orders(case.weights, delay, case.lags)
    pd.testing.assert_frame_equal(found, brute_force(case.weights, delay, case.lags))
    ones = pd.DataFrame(1, case.weights.index, case.weights.columns)
    pd.testing.assert_frame_equal(
        schedule_orders(case.weights, delay, ones), schedule_orders(case.weights, delay)
    )


@examples(10)
@given(
    seed=st.integers(0, 10_000),
    delay=st.integers(1, 2),
    cash_rate=st.sampled_from([0.0, 0.03]),
)
def test_step_fold_and_vectorbt_make_the_same_book(seed, delay, cash_rate) -> None:
    case = random_case(seed, delay, cash_rate=cash_rate)
    assert_fold_equals_simulation(case)
    at_once, folded = case.simulated(), case.simulated(bar_by_bar=True)
    np.testing.assert_array_equal(at_once.returns, folded.returns)
    pd.testing.assert_frame_equal(at_once.trades, folded.trades, check_exact=True)


@pytest.mark.parametrize("delay", [1, 2])
def test_no_fill_is_at_an_open_before_the_decision_of_its_weight(delay) -> None:
    case = random_case(3, delay)
    world = assemble(EXCHANGES, 40, panel=True, seed=3)
    market = market_of(world, world.join()[0])
    decided = pd.Series(market.decided_at, index=market.present.index)
    opens = market.price_instants("open")
    trades = case.simulated().trades
    assert len(trades) > 20
    for fill in trades.to_dict("records"):
        known = decided.index[decided <= opens.loc[fill["timestamp"], fill["symbol"]]]
        stop = case.weights.index.get_loc(fill["timestamp"]) - delay
        last = min(stop, len(known) - 1)
        target = case.weights[fill["symbol"]].iloc[: last + 1]
        held = case.simulated().held_weights[fill["symbol"]].loc[fill["timestamp"]]
        assert np.sign(held) == np.sign(target.iloc[-1])


def test_pending_orders_say_how_many_bars_they_wait() -> None:
    stamps = pd.date_range("2023-02-06", periods=4, tz="UTC")
    weights = pd.DataFrame({"SYDNEY": [0.0, 0.0, 0.0, 0.5], "COIN": [0.0, 0.0, 0.0, 0.5]}, stamps)
    lags = pd.DataFrame({"SYDNEY": 2, "COIN": 1}, stamps)
    pending = find_pending_orders(weights, 1, None, lags)
    assert pending[["symbol", "due_in_bars"]].to_numpy().tolist() == [["COIN", 1], ["SYDNEY", 2]]
    assert (pending["decided_on"] == stamps[-1]).all()
    earlier = weights.shift(-1).ffill()
    pending = find_pending_orders(earlier, 1, None, lags)
    assert pending[["symbol", "due_in_bars"]].to_numpy().tolist() == [["SYDNEY", 1]]
    assert (pending["decided_on"] == stamps[-2]).all()

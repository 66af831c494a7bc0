"""What waits after the last bar, because bars could not fill it: as in an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.runs.next_orders import find_orders_of_book
from engine.simulation import BarPrices, CostRates, Costs, Execution
from engine.simulation.costs import BoundCosts
from engine.simulation.order_queue import find_due, queue_orders
from tests.simulation.folded_books import Case, assert_fold_equals_simulation, fold

if TYPE_CHECKING:
    from engine.core.types import Matrix, WideFrame

DAYS = pd.date_range("2024-01-01", periods=40, tz="UTC")


def book(
    weights: Matrix,
    closes: Matrix,
    limits: Matrix,
    *,
    traded: Matrix | None = None,
    margin: float | None = None,
    delay: int = 1,
) -> Case:
    """A book of symbols `A`, `B` ... whose bars fill so many units, for an equity of 1."""

    def wide(values: Matrix) -> WideFrame:
        columns = list("ABC")[: weights.shape[1]]
        return pd.DataFrame(values, DAYS[: len(weights)], columns)

    rates = CostRates(fee=0.0, slippage=0.0, limit=wide(limits))
    return Case(
        weights=wide(weights),
        opens=wide(closes),
        closes=wide(closes),
        costs=BoundCosts(Costs(), rates, 0.0),
        execution=Execution(delay=delay, maintenance_margin=margin),
        traded=None if traded is None else wide(traded).astype(bool),
    )


def next_orders(case: Case) -> list[dict[str, object]]:
    result = case.simulated()
    orders = find_orders_of_book(
        case.weights,
        delay=case.execution.delay,
        traded=case.traded,
        ruined=bool((result.returns <= -1).any()),
        held_weights=result.held_weights,
        maintenance_margin=case.execution.maintenance_margin,
        waiting=result.waiting,
    )
    return orders[orders["due_in_bars"] == 1].to_dict("records")


def column(*values: float) -> Matrix:
    return np.array(values, dtype=float)[:, None]


def test_the_rest_of_a_margin_call_is_due_at_the_next_bar() -> None:
    case = book(
        column(-2, -2, -2, -2, -2),
        column(10, 10, 13, 13, 13),
        column(1, 1, 1, 0.01, 0.01),
        margin=0.25,
    )
    assert case.simulated().margin_calls[0] == DAYS[2]
    (left,) = next_orders(case)
    assert (left["decided_on"], left["target_weight"]) == (DAYS[2], 0.0)
    assert left["waited_bars"] == 2


def test_an_order_that_was_taken_back_where_nothing_traded_waits_no_more() -> None:
    weights, fills = column(0.5, 0, 0, 0), column(1, 0, 1, 1)
    assert book(weights[:2], np.full((2, 1), 10.0), fills[:2]).simulated().waiting == {"A": 1}
    case = book(weights, np.full((4, 1), 10.0), fills, traded=column(1, 1, 0, 0))
    assert case.simulated().waiting == {}
    assert next_orders(case) == []


def test_another_order_that_is_due_replaces_what_waits() -> None:
    case = book(column(0.4, 0.4, 0.2), np.full((3, 1), 10.0), np.full((3, 1), 0.001))
    (newest,) = next_orders(case)
    assert (newest["decided_on"], newest["target_weight"]) == (DAYS[2], 0.2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0.3]), st.integers(1, 3))
def test_the_next_orders_are_those_of_an_account(
    seed: int, margin: float | None, delay: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(4, 16)), 2)
    changes = rng.random(shape) < 0.5
    drawn = np.where(changes, rng.choice([-1.2, -0.4, 0.0, 0.4, 1.2], shape), np.nan)
    case = book(
        pd.DataFrame(drawn).ffill().fillna(0.0).to_numpy(),
        10 * np.exp(np.cumsum(0.1 * rng.standard_normal(shape), axis=0)),
        rng.choice([0.0, 0.01, 0.04, 1.0], shape),
        traded=rng.random(shape) < 0.7,
        margin=margin,
        delay=delay,
    )
    assert_fold_equals_simulation(case)
    result = case.simulated()
    account, orders = fold(case, range(shape[0])).state
    if account.ruined or result.waiting is None:
        return
    prices = dict.fromkeys(case.weights.columns, 10.0)
    bar = BarPrices(timestamp=DAYS[-1], open=prices, close=prices)
    holdings = {held.symbol: held for held in account.holdings}
    due = find_due(queue_orders(account, orders), bar, holdings)
    found = {order["symbol"]: order for order in next_orders(case)}
    for symbol, order in due.items():
        told = found.pop(symbol)
        assert told["target_weight"] == order.target_weight
        assert told["decided_on"] == order.decided_on
        assert told["waited_bars"] == order.waited_bars
    # An order back to the target filled last, which has nothing to fill, may be among them.
    for symbol, order in found.items():
        assert order["target_weight"] == holdings[symbol].target_weight

"""A book over all bars: the fold that `step` does one bar at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.simulation.accounting.financing import (
    credit_of,
    finance_bar,
    fund_positions,
    net_of_financing,
)
from engine.simulation.accounting.order_execution import cash_flow_of, execute_orders
from engine.simulation.accounting.order_state import find_targets, settle_orders
from engine.simulation.accounting.positions import (
    INITIAL_CASH,
    RUIN_FLOOR,
    add_units,
    is_called,
    value_units,
)
from engine.simulation.accounting.tables import (
    BarFills,
    BarRecords,
    BarTables,
    OrderCosts,
    OrderState,
    OrderTables,
    RateTables,
    YearlyRates,
)

if TYPE_CHECKING:
    from engine.core.types import BoolVector, Matrix, Vector
    from engine.simulation.accounting.tables import (
        BarArrays,
        Numbers,
        OrderArrays,
        RateArrays,
        RecordArrays,
    )


def fold_bars(
    orders: OrderTables,
    bars: BarTables,
    rates: RateTables,
    maintenance_margin: float,
    kept: BarRecords,
) -> tuple[Matrix, int]:
    """Steps a book over all bars, as `step` does over one.

    Args:
        orders: What is due.
        bars: Prices.
        rates: Costs and yields.
        maintenance_margin: Share of the gross exposure; 0 is none.
        kept: Receives what was kept at each bar; all 0 before.

    Returns:
        The fills (m, 6): row, symbol, size, price, fee, and 1 where a margin call placed the
        order; and how many rows may have fills: n, or those up to the ruin, without its own row
        where the book was ruined at the prices of the fills before the first.
    """
    count, symbols = orders.due.shape
    state = OrderState(
        np.full(symbols, np.nan), np.zeros(symbols), np.zeros(symbols, np.bool_), kept.waited
    )
    fills = BarFills(
        np.zeros(symbols, np.int64),
        np.zeros(symbols),
        np.zeros(symbols),
        np.zeros(symbols),
        np.zeros(symbols),
    )
    units, available, targets = np.zeros(symbols), np.zeros(symbols), np.zeros(symbols)
    cash_flow, available_cash, equity, last_call = 0.0, INITIAL_CASH, 1.0, -1
    credit = credit_of(rates.loan)
    records, filled = np.zeros((16, 6)), 0
    for t in range(count):
        if t > 0:
            earned = _finance_row(bars, rates, t, units, equity, kept)
            cash_flow += earned
            available_cash += earned * INITIAL_CASH
        kept.equity_at_fill[t] = 1.0 + cash_flow + value_units(units, bars.prices[t])
        if kept.equity_at_fill[t] < RUIN_FLOOR:
            return records[:filled], t
        find_targets(orders, t, last_call, units, state, targets, kept.due[t])
        available_cash, due = execute_orders(
            targets, available_cash, available, bars.prices[t], _costs_at(rates, t), credit, fills
        )
        settle_orders(targets, fills, state, kept.unfilled[t])
        for i in range(symbols):
            state.waited[i] = 0 if math.isnan(state.waiting[i]) else state.waited[i] + 1
        cash_flow += cash_flow_of(fills, due)
        records = _reserve(records, filled + due)
        filled = _record(records, filled, t, due, fills, units, state.forced)
        paid = _fund_after_fills(bars, rates, t, units, kept)
        cash_flow -= paid
        available_cash -= paid * INITIAL_CASH
        equity = 1.0 + cash_flow + value_units(units, bars.closes[t])
        after = 1.0 + cash_flow + value_units(units, bars.prices[t])
        if min(after, equity) < RUIN_FLOOR:
            return records[:filled], t + 1
        kept.equity[t], kept.units[t] = equity, units
        if is_called(units, bars.closes[t], equity, maintenance_margin):
            kept.called[t], last_call = True, t
    return records[:filled], count


def _finance_row(
    bars: BarTables,
    rates: RateTables,
    t: int,
    units: Numbers,
    equity: float,
    kept: BarRecords,
) -> float:
    """What the cash receives before the fills of a row, of what was held at the last close."""
    financing = finance_bar(
        units,
        bars.closes[t - 1],
        equity,
        YearlyRates(
            rates.borrow[_row(rates.borrow, t - 1)],
            rates.cash[min(t - 1, len(rates.cash) - 1)],
            rates.loan,
        ),
        bars.years[t],
    )
    due = rates.funding_before[_row(rates.funding_before, t)]
    paid = fund_positions(units, bars.closes[t - 1], due)
    kept.borrow[t], kept.interest[t] = financing.borrow, financing.interest
    kept.funding[t], kept.loan_interest[t] = paid, financing.loan_interest
    return net_of_financing(financing, paid)


def _fund_after_fills(
    bars: BarTables, rates: RateTables, t: int, units: Vector, kept: BarRecords
) -> float:
    """The funding that is paid after the fills of a row; the first has no close before it."""
    if t == 0:
        return 0.0
    due = rates.funding_after[_row(rates.funding_after, t)]
    paid = fund_positions(units, bars.closes[t - 1], due)
    kept.funding[t] += paid
    return paid


def _row(table: Matrix, t: int) -> int:
    """The row of a bar in a table that has one row for all, or a row a bar."""
    return min(t, len(table) - 1)


def _costs_at(rates: RateTables, t: int) -> OrderCosts:
    return OrderCosts(
        rates.fee[_row(rates.fee, t)],
        rates.slippage[_row(rates.slippage, t)],
        rates.per_unit[_row(rates.per_unit, t)],
        rates.minimum[_row(rates.minimum, t)],
        rates.maximum[_row(rates.maximum, t)],
        rates.impact[_row(rates.impact, t)],
        rates.limit[_row(rates.limit, t)],
        rates.tiers,
    )


def _reserve(records: Matrix, count: int) -> Matrix:
    """The records, with room for so many."""
    if count <= len(records):
        return records
    larger = np.zeros((2 * count, records.shape[1]))
    larger[: len(records)] = records
    return larger


def _record(
    records: Matrix,
    filled: int,
    t: int,
    due: int,
    fills: BarFills,
    units: Vector,
    forced: BoolVector,
) -> int:
    """Writes the fills of a bar behind those before, and adds them to the units."""
    for place in range(due):
        i = fills.sequence[place]
        if fills.size[i] != 0:
            units[i] = add_units(units[i], fills.size[i])
            records[filled, 0], records[filled, 1] = t, i
            records[filled, 2], records[filled, 3] = fills.size[i], fills.price[i]
            records[filled, 4], records[filled, 5] = fills.fee[i], forced[i]
            filled += 1
    return filled


def fold_arrays(
    orders: OrderArrays,
    bars: BarArrays,
    rates: RateArrays,
    maintenance_margin: float,
    kept: RecordArrays,
) -> tuple[Matrix, int]:
    """`fold_bars` of plain tuples, each in the order of its fields.

    Numba's cache would hold the classes of the fields' tuples by name, and could not be read once
    one of them is renamed.
    """
    return fold_bars(
        OrderTables(orders[0], orders[1], orders[2]),
        BarTables(bars[0], bars[1], bars[2]),
        RateTables(
            rates[0],
            rates[1],
            rates[2],
            rates[3],
            rates[4],
            rates[5],
            rates[6],
            rates[7],
            rates[8],
            rates[9],
            rates[10],
            rates[11],
            rates[12],
        ),
        maintenance_margin,
        BarRecords(
            kept[0],
            kept[1],
            kept[2],
            kept[3],
            kept[4],
            kept[5],
            kept[6],
            kept[7],
            kept[8],
            kept[9],
            kept[10],
        ),
    )

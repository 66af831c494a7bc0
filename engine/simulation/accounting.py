"""The arithmetic of a book, bar by bar, in plain floats.

`step` runs these functions as they are, on lists; `compiled_fold` compiles the very same code, so
that the two keep equal books bit for bit. All of it is in one file because Numba keeps compiled
code until the file of the compiled function changes, whatever it calls in other files.

The execution of an order is `execute_order_nb`, `buy_nb` and `sell_nb` of `vectorbt.portfolio.nb`,
bit for bit, for an order of a target percentage in both directions, without fixed fees, size
limits and locked cash. Its amounts are at the scale of `INITIAL_CASH`, which the absolute
tolerance refers to; marked money is for an initial equity of 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine.simulation.accounting_tables import (
    BarFills,
    BarRecords,
    BarTables,
    ExecutedOrder,
    Financing,
    Funds,
    OrderState,
    OrderTables,
    RateTables,
)

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector
    from engine.simulation.accounting_tables import Numbers, Places

INITIAL_CASH = 1e9
"""vectorbt ignores orders below 1e-12 units; at this scale they are below 1e-16 of the equity at
a price of 100,000. Sizes and fees are divided by it again, so that the equity starts at 1."""

RUIN_FLOOR = 1e-6
"""Equity, as a share of the start, below which a book is ruined. At the floor the smallest order
that is filled, 1e-12 units at the scale of `INITIAL_CASH`, is 1e-10 of the equity at a price of
100,000 and 1e-6 of it at 1e9; and the sum of the cash flows, which rounds at 1e-16, is right to
1e-10 of the equity. Far below it neither would hold: the figures would be those of rounding."""

_RELATIVE_TOLERANCE = 1e-9
"""Share of the larger of two amounts up to which they are equal."""

_ABSOLUTE_TOLERANCE = 1e-12
"""Amount, in units or money, up to which it is nothing."""

_CLOSED_POSITION_TOLERANCE = 1e-9
"""Share of a fill; vectorbt treats a position of which less is left as closed."""


def execute_target_weight(
    weight: float, funds: Funds, price: float, fee: float, slippage: float
) -> ExecutedOrder:
    """Trades to a target weight: weight x equity / price - units.

    Args:
        weight: Target weight, a share of the equity.
        funds: Before the order.
        price: Price before slippage, positive.
        fee: Fraction of the traded value.
        slippage: Fraction of the price.

    Returns:
        Of size 0 where nothing is traded: no equity, no cash to buy with, or at most 1e-12 units.
    """
    cash, units, equity = _settle(funds.cash), _settle(funds.units), _settle(funds.equity)
    size = 0.0
    if equity > 0:
        size = weight * equity / price - units
    if abs(size) <= _ABSOLUTE_TOLERANCE or (size > 0 and cash <= 0):
        return ExecutedOrder(0.0, price, 0.0, funds.cash, funds.units)
    if size < 0:
        return _sell(cash, units, -size, price * (1 - slippage), fee)
    return _buy(cash, units, size, price * (1 + slippage), fee)


def _buy(cash: float, units: float, size: float, price: float, fee: float) -> ExecutedOrder:
    """Buys what is wanted, or what the cash pays for."""
    value = size * price
    paid_fee = value * fee
    spent = value + paid_fee
    if spent > cash and not _is_close(spent, cash):
        affordable = cash / (1 + fee)
        size, paid_fee, spent = affordable / price, cash - affordable, cash
    return ExecutedOrder(size, price, paid_fee, _add(cash, -spent), _add(units, size))


def _sell(cash: float, units: float, size: float, price: float, fee: float) -> ExecutedOrder:
    value = size * price
    paid_fee = value * fee
    return ExecutedOrder(-size, price, paid_fee, cash + _add(value, -paid_fee), _add(units, -size))


def _settle(amount: float) -> float:
    """The amount, or 0 where it is nothing."""
    return 0.0 if abs(amount) <= _ABSOLUTE_TOLERANCE else amount


def _is_close(left: float, right: float) -> bool:
    tolerance = max(_RELATIVE_TOLERANCE * max(abs(left), abs(right)), _ABSOLUTE_TOLERANCE)
    return abs(left - right) <= tolerance


def _add(left: float, right: float) -> float:
    """The sum, or 0 where the two cancel up to rounding."""
    if abs(left + right) <= _ABSOLUTE_TOLERANCE or _is_close(left, -right):
        return 0.0
    return left + right


def add_units(held: float, size: float) -> float:
    """Units after a fill; 0 where it closes the position up to the rounding of vectorbt."""
    units = held + size
    return 0.0 if abs(units) <= _CLOSED_POSITION_TOLERANCE * abs(size) else units


def hold_after_fills(column: IntVector, size: Vector, symbols: int) -> Vector:
    """Units of the symbol of each fill after it; shape (m + 1,), 0 before the first.

    Args:
        column: Symbol of each of m fills, in their order.
        size: Units, signed.
        symbols: Number of symbols.
    """
    units = np.zeros(symbols)
    after = np.zeros(len(size) + 1)
    for number in range(len(size)):
        held = add_units(units[column[number]], size[number])
        units[column[number]] = held
        after[number + 1] = held
    return after


def value_units(units: Numbers, prices: Numbers) -> float:
    """Value of units at prices, added up in the order of the symbols."""
    value = 0.0
    for i in range(len(units)):
        value += units[i] * prices[i]
    return value


def finance_bar(
    units: Numbers,
    closes: Numbers,
    equity: float,
    borrow_per_year: Numbers,
    cash_per_year: float,
    years: float,
) -> Financing:
    """What was held at the last close pays and earns until now; of later bars it knows nothing.

    Args:
        units: Held at the last close, signed.
        closes: The last closes.
        equity: At the last close.
        borrow_per_year: Borrow rates of the last bar.
        cash_per_year: Yield on cash of the last bar.
        years: Since the last close.
    """
    longs, borrow = 0.0, 0.0
    for i in range(len(units)):
        value = units[i] * closes[i]
        if value > 0:
            longs += value
        else:
            borrow -= value * borrow_per_year[i]
    return Financing(borrow * years, max(0.0, equity - longs) * cash_per_year * years)


def is_called(units: Numbers, closes: Numbers, equity: float, maintenance_margin: float) -> bool:
    """Whether equity / gross exposure at the close is below the maintenance margin."""
    gross = 0.0
    for i in range(len(units)):
        gross += abs(units[i] * closes[i])
    return gross > 0 and equity < maintenance_margin * gross


def execute_orders(
    targets: Numbers,
    cash: float,
    units: Numbers,
    prices: Numbers,
    rates: tuple[Numbers, Numbers],
    fills: BarFills,
) -> tuple[float, int]:
    """Fills the orders of one bar: sells before buys, small buys before large ones.

    Args:
        targets: Target weight by symbol; NaN where no order is due.
        cash: Available cash, at the scale of `INITIAL_CASH`.
        units: Available units by symbol, at that scale; those after the fills are written into it.
        prices: Prices of the fills before slippage.
        rates: Fees and slippages by symbol.
        fills: Receives the fills.

    Returns:
        The available cash, and how many orders were due.
    """
    equity = cash
    for i in range(len(units)):
        equity += units[i] * prices[i]
    due = 0
    for i in range(len(targets)):
        fills.size[i] = 0.0
        if not math.isnan(targets[i]):
            _insert_by_value(fills.sequence, due, i, (targets, units, prices), equity)
            due += 1
    for place in range(due):
        i = fills.sequence[place]
        order = execute_target_weight(
            targets[i], Funds(cash, units[i], equity), prices[i], rates[0][i], rates[1][i]
        )
        cash, units[i] = order.cash, order.units
        fills.size[i] = order.size / INITIAL_CASH
        fills.price[i], fills.fee[i] = order.price, order.fee / INITIAL_CASH
    return cash, due


def _insert_by_value(
    sequence: Places,
    count: int,
    symbol: int,
    book: tuple[Numbers, Numbers, Numbers],
    equity: float,
) -> None:
    """Inserts a symbol by the value it is to trade, behind equal ones."""
    targets, units, prices = book
    value = targets[symbol] * equity - units[symbol] * prices[symbol]
    place = count
    while place > 0:
        before = sequence[place - 1]
        if targets[before] * equity - units[before] * prices[before] <= value:
            break
        sequence[place] = before
        place -= 1
    sequence[place] = symbol


def cash_flow_of(fills: BarFills, due: int) -> float:
    """What the fills of a bar change in the cash, for an initial equity of 1."""
    flow = 0.0
    for place in range(due):
        i = fills.sequence[place]
        if fills.size[i] != 0:
            flow += -fills.size[i] * fills.price[i] - fills.fee[i]
    return flow


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
    state = OrderState(np.full(symbols, np.nan), np.zeros(symbols), np.zeros(symbols, np.bool_))
    fills = BarFills(
        np.zeros(symbols, np.int64), np.zeros(symbols), np.zeros(symbols), np.zeros(symbols)
    )
    units, available, targets = np.zeros(symbols), np.zeros(symbols), np.zeros(symbols)
    cash_flow, available_cash, equity, last_call = 0.0, INITIAL_CASH, 1.0, -1
    records, filled = np.zeros((16, 6)), 0
    for t in range(count):
        if t > 0:
            financing = finance_bar(
                units,
                bars.closes[t - 1],
                equity,
                rates.borrow[_row(rates.borrow, t - 1)],
                rates.cash[min(t - 1, len(rates.cash) - 1)],
                bars.years[t],
            )
            kept.borrow[t], kept.interest[t] = financing.borrow, financing.interest
            earned = financing.interest - financing.borrow
            cash_flow += earned
            available_cash += earned * INITIAL_CASH
        kept.equity_at_fill[t] = 1.0 + cash_flow + value_units(units, bars.prices[t])
        if kept.equity_at_fill[t] < RUIN_FLOOR:
            return records[:filled], t
        _find_targets(orders, t, last_call, units, state, targets, kept.due[t])
        costs = (rates.fee[_row(rates.fee, t)], rates.slippage[_row(rates.slippage, t)])
        available_cash, due = execute_orders(
            targets, available_cash, available, bars.prices[t], costs, fills
        )
        cash_flow += cash_flow_of(fills, due)
        records = _reserve(records, filled + due)
        filled = _record(records, filled, t, due, fills, units, state.forced)
        equity = 1.0 + cash_flow + value_units(units, bars.closes[t])
        after = 1.0 + cash_flow + value_units(units, bars.prices[t])
        if min(after, equity) < RUIN_FLOOR:
            return records[:filled], t + 1
        kept.equity[t], kept.units[t] = equity, units
        if is_called(units, bars.closes[t], equity, maintenance_margin):
            kept.called[t], last_call = True, t
    return records[:filled], count


def fold_arrays(
    orders: tuple[Matrix, BoolMatrix, int],
    bars: tuple[Matrix, Matrix, Vector],
    rates: tuple[Matrix, Matrix, Matrix, Vector],
    maintenance_margin: float,
    kept: tuple[Vector, Vector, Matrix, Vector, Vector, BoolVector, Matrix],
) -> tuple[Matrix, int]:
    """`fold_bars` of plain tuples, each in the order of its fields.

    Numba's cache would hold the classes of the fields' tuples by name, and could not be read once
    one of them is renamed.
    """
    return fold_bars(
        OrderTables(orders[0], orders[1], orders[2]),
        BarTables(bars[0], bars[1], bars[2]),
        RateTables(rates[0], rates[1], rates[2], rates[3]),
        maintenance_margin,
        BarRecords(kept[0], kept[1], kept[2], kept[3], kept[4], kept[5], kept[6]),
    )


def _row(table: Matrix, t: int) -> int:
    """The row of a bar in a table that has one row for all, or a row a bar."""
    return min(t, len(table) - 1)


def _find_targets(
    orders: OrderTables,
    t: int,
    last_call: int,
    units: Vector,
    state: OrderState,
    targets: Vector,
    due: Vector,
) -> None:
    """The orders to fill at a row, into `targets`, and those that were due, into `due`.

    A margin call at the close before cancels every order decided by then, and places one to close
    each position. What nothing trades for waits; the newest order that is due wins, and one back
    to the target filled last takes back those that wait.
    """
    for i in range(len(targets)):
        if last_call >= 0 and last_call == t - 1:
            due[i] = _order_after_call(units[i], state, i)
        elif last_call < 0 or t - orders.delay > last_call:
            due[i] = orders.due[t, i]
            state.forced[i] = state.forced[i] and math.isnan(due[i])
        targets[i] = _newest_order(due[i], state.waiting[i], state.filled[i])
        state.waiting[i] = np.nan
        if not math.isnan(targets[i]):
            if orders.traded[t, i]:
                state.filled[i] = targets[i]
            else:
                state.waiting[i], targets[i] = targets[i], np.nan


def _order_after_call(held: float, state: OrderState, i: int) -> float:
    """What a margin call leaves due: a position is closed, an order that waits is taken back."""
    state.forced[i] = held != 0
    if held != 0:
        state.waiting[i] = np.nan
        return 0.0
    return np.nan if math.isnan(state.waiting[i]) else state.filled[i]


def _newest_order(due: float, waiting: float, filled: float) -> float:
    """Of an order that is due and one that waits, each NaN where there is none."""
    if math.isnan(waiting):
        return due
    if math.isnan(due):
        return waiting
    return np.nan if due == filled else due


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

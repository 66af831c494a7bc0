"""The arithmetic of a book, bar by bar, in plain floats.

`step` runs these functions as they are, on lists; `compiled_fold` compiles the very same code, so
that the two keep equal books bit for bit. All of it is in one file because Numba keeps compiled
code until the file of the compiled function changes, whatever it calls in other files.

The execution of an order is `execute_order_nb`, `buy_nb` and `sell_nb` of `vectorbt.portfolio.nb`,
bit for bit, for an order of a target percentage in both directions whose fee and slippage are
fractions. Fees by unit, minimums, tiers, impact and limits are this module's. Its amounts are at
the scale of `INITIAL_CASH`, which the absolute tolerance refers to; marked money is for an initial
equity of 1.
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
    OrderCharge,
    OrderCosts,
    OrderState,
    OrderTables,
    RateTables,
    YearlyRates,
)

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector
    from engine.simulation.accounting_tables import Numbers, Places, TierRows, TierTable

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

MAX_FILL_RATE = 0.9999
"""Of the price or the traded value: what an impact and a scaled fee or slippage are cut to; a
whole price buys nothing, and nobody sells below 0."""

_MOST_BISECTIONS = 100
"""More than the halvings that a double has between 1e-12 and 1e18 units."""


def execute_target_weight(
    weight: float, funds: Funds, price: float, costs: OrderCharge, tiers: TierRows
) -> ExecutedOrder:
    """Trades to a target weight: weight x equity / price - units.

    Args:
        weight: Target weight, a share of the equity.
        funds: Before the order.
        price: Price before slippage, positive.
        costs: Of the bar and symbol.
        tiers: Of the symbol.

    Returns:
        Of size 0 where nothing is traded: no equity, no cash to buy with, at most 1e-12 units, or
        nothing that the bar can fill.
    """
    cash, units, equity = _settle(funds.cash), _settle(funds.units), _settle(funds.equity)
    size = 0.0
    if equity > 0:
        size = weight * equity / price - units
    if abs(size) <= _ABSOLUTE_TOLERANCE or (size > 0 and cash + funds.credit <= 0):
        return ExecutedOrder(0.0, price, 0.0, funds.cash, funds.units, 0.0)
    wanted = abs(size)
    filled = min(wanted, costs.limit * INITIAL_CASH)
    if filled <= _ABSOLUTE_TOLERANCE:
        return ExecutedOrder(0.0, price, 0.0, funds.cash, funds.units, wanted)
    if size < 0:
        order = _sell(cash, units, filled, price * (1 - _slip(filled, costs)), costs, tiers)
    else:
        order = _buy(Funds(cash, units, equity, funds.credit), filled, price, costs, tiers)
        if order.size == 0:
            return ExecutedOrder(0.0, price, 0.0, funds.cash, funds.units, wanted - filled)
    return ExecutedOrder(
        order.size, order.price, order.fee, order.cash, order.units, wanted - filled
    )


def _buy(
    funds: Funds, size: float, price: float, costs: OrderCharge, tiers: TierRows
) -> ExecutedOrder:
    """Buys what is wanted, or what the cash and the credit pay for."""
    cash, units = funds.cash, funds.units
    payable = cash + funds.credit
    paid = price * (1 + _slip(size, costs))
    value = size * paid
    fee = _fee_of(size, value, costs, tiers)
    spent = value + fee
    if spent > payable and not _is_close(spent, payable):
        if _is_proportional(costs, tiers):
            affordable = payable / (1 + costs.fee)
            size, fee, spent = affordable / paid, payable - affordable, payable
        else:
            size = _affordable(payable, size, price, costs, tiers)
            if size <= _ABSOLUTE_TOLERANCE:
                return ExecutedOrder(0.0, price, 0.0, cash, units, 0.0)
            paid = price * (1 + _slip(size, costs))
            fee = _fee_of(size, size * paid, costs, tiers)
            spent = size * paid + fee
    return ExecutedOrder(size, paid, fee, _add(cash, -spent), _add(units, size), 0.0)


def _sell(
    cash: float, units: float, size: float, price: float, costs: OrderCharge, tiers: TierRows
) -> ExecutedOrder:
    value = size * price
    fee = _fee_of(size, value, costs, tiers)
    return ExecutedOrder(-size, price, fee, cash + _add(value, -fee), _add(units, -size), 0.0)


def _slip(size: float, costs: OrderCharge) -> float:
    """Slippage of an order, a fraction of its price."""
    slippage = costs.slippage
    if costs.impact > 0:
        moved = slippage + costs.impact * math.sqrt(size / INITIAL_CASH)
        slippage = max(slippage, min(moved, MAX_FILL_RATE))
    return slippage


def _fee_of(size: float, value: float, costs: OrderCharge, tiers: TierRows) -> float:
    """Fee of an order of that size and value, at the scale of `INITIAL_CASH`."""
    fee = value * costs.fee
    if _is_proportional(costs, tiers):
        return fee
    fee += size * costs.per_unit
    for j in range(len(tiers)):
        above = (size if tiers[j][2] != 0 else value) - (tiers[j][0] * INITIAL_CASH)
        if above > 0:
            fee += above * tiers[j][1]
    return min(max(fee, costs.minimum * INITIAL_CASH), costs.maximum * value)


def _is_proportional(costs: OrderCharge, tiers: TierRows) -> bool:
    """Whether fee and slippage are fractions that the size of the order does not change."""
    return (
        costs.impact == 0
        and costs.per_unit == 0
        and costs.minimum == 0
        and math.isinf(costs.maximum)
        and (len(tiers) == 0 or math.isinf(tiers[0][0]))
    )


def _affordable(
    cash: float, wanted: float, price: float, costs: OrderCharge, tiers: TierRows
) -> float:
    """The largest size up to that wanted which the cash pays for, by bisection; 0 is none.

    What an order costs grows with its size, so that there is one.
    """
    low, high = 0.0, wanted
    for _ in range(_MOST_BISECTIONS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        value = middle * (price * (1 + _slip(middle, costs)))
        if value + _fee_of(middle, value, costs, tiers) > cash:
            high = middle
        else:
            low = middle
    return low


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
    terms: YearlyRates,
    years: float,
) -> Financing:
    """What was held at the last close pays and earns until now; of later bars it knows nothing.

    Args:
        units: Held at the last close, signed.
        closes: The last closes.
        equity: At the last close.
        terms: Rates of the last bar.
        years: Since the last close.
    """
    longs, shorts, borrow = 0.0, 0.0, 0.0
    for i in range(len(units)):
        value = units[i] * closes[i]
        if value > 0:
            longs += value
        else:
            shorts -= value
            borrow -= value * terms.borrow[i]
    owed = 0.0 if math.isnan(terms.loan) else max(0.0, longs - shorts - equity) * terms.loan
    return Financing(borrow * years, max(0.0, equity - longs) * terms.cash * years, owed * years)


def fund_positions(units: Numbers, marks: Numbers, rates: Numbers) -> float:
    """Funding that perpetuals held pay: units x mark x rate; negative where they receive it.

    Args:
        units: Held at the payments, signed.
        marks: The last closes before them.
        rates: Sum of the rates of the payments, by symbol.
    """
    paid = 0.0
    for i in range(len(units)):
        if units[i] != 0 and rates[i] != 0:
            paid += units[i] * marks[i] * rates[i]
    return paid


def credit_of(loan_per_year: float) -> float:
    """What a buy can spend beside the cash: nothing where no loan has a rate."""
    return 0.0 if math.isnan(loan_per_year) else math.inf


def net_of_financing(financing: Financing, funding: float) -> float:
    """What the cash receives when a bar begins; negative where it pays."""
    return financing.interest - financing.borrow - financing.loan_interest - funding


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
    costs: OrderCosts,
    credit: float,
    fills: BarFills,
) -> tuple[float, int]:
    """Fills the orders of one bar: sells before buys, small buys before large ones.

    Args:
        targets: Target weight by symbol; NaN where no order is due.
        cash: Available cash, at the scale of `INITIAL_CASH`.
        units: Available units by symbol, at that scale; those after the fills are written into it.
        prices: Prices of the fills before slippage.
        costs: Of the bar, by symbol.
        credit: What a buy can spend beside the cash: 0, or infinite where money is lent.
        fills: Receives the fills.

    Returns:
        The available cash, and how many orders were due.
    """
    equity = cash
    for i in range(len(units)):
        equity += units[i] * prices[i]
    due = 0
    for i in range(len(targets)):
        fills.size[i], fills.unfilled[i] = 0.0, 0.0
        if not math.isnan(targets[i]):
            _insert_by_value(fills.sequence, due, i, (targets, units, prices), equity)
            due += 1
    for place in range(due):
        i = fills.sequence[place]
        charge = OrderCharge(
            costs.fee[i],
            costs.slippage[i],
            costs.per_unit[i],
            costs.minimum[i],
            costs.maximum[i],
            costs.impact[i],
            costs.limit[i],
        )
        order = execute_target_weight(
            targets[i], Funds(cash, units[i], equity, credit), prices[i], charge, costs.tiers[i]
        )
        cash, units[i] = order.cash, order.units
        fills.size[i] = order.size / INITIAL_CASH
        fills.unfilled[i] = order.unfilled / INITIAL_CASH
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
        _find_targets(orders, t, last_call, units, state, targets, kept.due[t])
        available_cash, due = execute_orders(
            targets, available_cash, available, bars.prices[t], _costs_at(rates, t), credit, fills
        )
        _settle_orders(targets, fills, state, kept.unfilled[t])
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


def fold_arrays(
    orders: tuple[Matrix, BoolMatrix, int],
    bars: tuple[Matrix, Matrix, Vector],
    rates: tuple[
        Matrix,
        Matrix,
        Matrix,
        Matrix,
        Matrix,
        Matrix,
        Matrix,
        TierTable,
        Matrix,
        Vector,
        float,
        Matrix,
        Matrix,
    ],
    maintenance_margin: float,
    kept: tuple[
        Vector,
        Vector,
        Matrix,
        Vector,
        Vector,
        Vector,
        Vector,
        BoolVector,
        Matrix,
        Matrix,
        IntVector,
    ],
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
    to the target filled last takes back those that wait. Another order has waited 0 bars; one that
    a margin call places again, to close a position, is the same.
    """
    for i in range(len(targets)):
        closes = state.forced[i] and not math.isnan(state.waiting[i])
        if last_call >= 0 and last_call == t - 1:
            due[i] = _order_after_call(units[i], state, i)
        elif last_call < 0 or t - orders.delay > last_call:
            due[i] = orders.due[t, i]
            state.forced[i] = state.forced[i] and math.isnan(due[i])
        if not (math.isnan(due[i]) or (closes and state.forced[i])):
            state.waited[i] = 0
        targets[i] = _newest_order(due[i], state.waiting[i], state.filled[i])
        state.waiting[i] = np.nan
        if not math.isnan(targets[i]) and not orders.traded[t, i]:
            state.waiting[i], targets[i] = targets[i], np.nan


def _settle_orders(targets: Vector, fills: BarFills, state: OrderState, unfilled: Vector) -> None:
    """What is filled, and what waits because the bar could not fill it.

    A position that is on its way from one target to another has neither, so that an order back to
    the one before is filled like any other.
    """
    for i in range(len(targets)):
        if math.isnan(targets[i]):
            continue
        unfilled[i] = fills.unfilled[i]
        if fills.unfilled[i] == 0:
            state.filled[i] = targets[i]
        else:
            state.waiting[i] = targets[i]
            if fills.size[i] != 0:
                state.filled[i] = np.nan


def _order_after_call(held: float, state: OrderState, i: int) -> float:
    """What a margin call leaves due: a position is closed, an order that waits is taken back."""
    state.forced[i] = held != 0
    if held != 0:
        state.waiting[i] = np.nan
        return 0.0
    if math.isnan(state.filled[i]):
        state.waiting[i] = np.nan
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

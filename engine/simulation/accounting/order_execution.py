"""How orders are filled: sizes, slippage and fees, sells before buys.

The execution of an order is `execute_order_nb`, `buy_nb` and `sell_nb` of `vectorbt.portfolio.nb`,
bit for bit, for an order of a target percentage in both directions whose fee and slippage are
fractions. Fees by unit, minimums, tiers, impact and limits are this module's. Its amounts are at
the scale of `INITIAL_CASH`, which the absolute tolerance refers to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.simulation.accounting.positions import INITIAL_CASH
from engine.simulation.accounting.tables import ExecutedOrder, Funds, OrderCharge

if TYPE_CHECKING:
    from engine.simulation.accounting.tables import (
        BarFills,
        Numbers,
        OrderCosts,
        Places,
        TierRows,
    )

_RELATIVE_TOLERANCE = 1e-9
"""Share of the larger of two amounts up to which they are equal."""

_ABSOLUTE_TOLERANCE = 1e-12
"""Amount, in units or money, up to which it is nothing."""

MAX_FILL_RATE = 0.9999
"""Of the price or the traded value: what an impact and a scaled fee or slippage are cut to; a
whole price buys nothing, and nobody sells below 0."""

_MOST_BISECTIONS = 100
"""More than the halvings that a double has between 1e-12 and 1e18 units."""


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

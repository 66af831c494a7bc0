"""The execution of one order in plain floats: the arithmetic of vectorbt, bit for bit.

These are `execute_order_nb`, `buy_nb` and `sell_nb` of `vectorbt.portfolio.nb` for an order of a
target percentage in both directions, without fixed fees, size limits and locked cash. Amounts are
at the scale of `INITIAL_CASH`, which the absolute tolerance refers to.
"""

from __future__ import annotations

from typing import NamedTuple

_RELATIVE_TOLERANCE = 1e-9
"""Share of the larger of two amounts up to which they are equal."""

_ABSOLUTE_TOLERANCE = 1e-12
"""Amount, in units or money, up to which it is nothing."""


class ExecutedOrder(NamedTuple):
    """What an order traded, and what is available after it.

    Attributes:
        size: Units, positive bought, negative sold.
        price: Price with slippage.
        fee: Fee.
        cash: Cash after the fill.
        units: Units after the fill.
    """

    size: float
    price: float
    fee: float
    cash: float
    units: float


class Funds(NamedTuple):
    """What an order meets: cash, units of its symbol, and the equity its weight is a share of."""

    cash: float
    units: float
    equity: float


def execute_target_weight(
    weight: float, funds: Funds, price: float, *, fee: float, slippage: float
) -> ExecutedOrder | None:
    """Trades to a target weight: weight x equity / price - units.

    Args:
        weight: Target weight, a share of the equity.
        funds: Before the order.
        price: Price before slippage, positive.
        fee: Fraction of the traded value.
        slippage: Fraction of the price.

    Returns:
        None where nothing is traded: no equity, no cash to buy with, or at most 1e-12 units.
    """
    cash, units, equity = (0.0 if _is_negligible(amount) else amount for amount in funds)
    if equity <= 0:
        return None
    size = weight * equity / price - units
    if _is_negligible(size):
        return None
    if size < 0:
        return _sell(cash, units, -size, price * (1 - slippage), fee)
    return _buy(cash, units, size, price * (1 + slippage), fee) if cash != 0 else None


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


def _is_negligible(amount: float) -> bool:
    return abs(amount) <= _ABSOLUTE_TOLERANCE


def _is_close(left: float, right: float) -> bool:
    tolerance = max(_RELATIVE_TOLERANCE * max(abs(left), abs(right)), _ABSOLUTE_TOLERANCE)
    return abs(left - right) <= tolerance


def _add(left: float, right: float) -> float:
    """The sum, or 0 where the two cancel up to rounding."""
    if _is_negligible(left + right) or _is_close(left, -right):
        return 0.0
    return left + right

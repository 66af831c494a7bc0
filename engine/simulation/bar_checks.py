"""What a bar of an account has to be: in the order of time, with prices that can be traded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.signals.orders import Order
    from engine.simulation.account import Account, BarPrices


def check_terms(price: str, cash_rate: float) -> None:
    """Refuses a price that is neither open nor close, and a yield that is not finite."""
    if price not in {"open", "close"}:
        raise UsageError(
            "orders are filled at the open or the close",
            expected="`open` or `close`, as in execution.price",
            found=str(price),
        )
    if not math.isfinite(cash_rate):
        raise UsageError(
            "the yield on cash is not finite",
            expected="a finite rate a year, 0.02 is 2 %",
            found=f"{cash_rate}",
            where="cash_rate",
        )


def check_decided_before(orders: Iterable[Order], bar: BarPrices) -> None:
    """Refuses an order that was not decided before the bar that would fill it."""
    late = next((order for order in orders if order.decided_on >= bar.timestamp), None)
    if late is not None:
        raise UsageError(
            "Orders cannot be filled before they are decided",
            expected=f"an order decided at a bar before {bar.timestamp}",
            found=f"one decided on {late.decided_on}",
            where=late.symbol,
            fix="step with it at the next bar",
        )


def check_bar(account: Account, bar: BarPrices, price: str) -> None:
    """Refuses a bar that is not later than the account, or whose prices cannot be traded."""
    if account.timestamp is not None and bar.timestamp <= account.timestamp:
        raise UsageError(
            "bars are stepped over in the order of time",
            expected=f"a bar later than {account.timestamp}",
            found=f"{bar.timestamp}",
        )
    _check_prices(bar, price)
    if unknown := bar.traded.keys() - bar.close.keys():
        raise UsageError(
            "a symbol that has no bar is said to have traded or not",
            expected="in `traded` symbols of `open` and `close` alone",
            found=", ".join(sorted(unknown)),
            where=f"bar {bar.timestamp}",
            fix="leave the symbol out of `traded`",
        )


def _check_prices(bar: BarPrices, fill_price: str) -> None:
    """Refuses a bar without the price of its fills, or without a close."""
    symbols = bar.open.keys() | bar.close.keys()
    opened = symbols if fill_price == "open" else bar.open.keys()
    for column, prices, needed in (("open", bar.open, opened), ("close", bar.close, symbols)):
        for symbol in needed:
            found = prices.get(symbol, math.nan)
            if not (math.isfinite(found) and found > 0):
                raise InvalidBarsError(
                    f"a {column} price cannot be traded at",
                    expected="a positive, finite open and close of each symbol",
                    found=f"{found}",
                    where=f"{symbol} at {bar.timestamp}",
                    fix="leave a symbol without a bar out of both",
                )

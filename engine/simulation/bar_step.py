"""One bar of a book: orders that are due are filled, and the account is marked at the close."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from engine.core.errors import InvalidBarsError, UsageError
from engine.simulation.account import Account, BarPrices, Fill, Holding
from engine.simulation.fills import INITIAL_CASH, add_units
from engine.simulation.order_execution import ExecutedOrder, Funds, execute_target_weight
from engine.simulation.portfolio import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from engine.signals.orders import Order
    from engine.simulation.costs import BarRates, TradingCosts

_RUINED = Account(
    cash_flow=-1.0, available_cash=0.0, marked_equity=0.0, bar_return=-1.0, ruined=True
)


def step(
    account: Account,
    bar: BarPrices,
    orders: Iterable[Order],
    costs: TradingCosts,
    *,
    price: Literal["open", "close"] = "open",
) -> tuple[Account, tuple[Fill, ...]]:
    """Moves an account over one bar; over the bars of a market it keeps the books of `simulate`.

    The rules are those of `simulate` and `fill_targets`: orders due are filled at the bar's open
    or close, sells first, small buys before large ones, buys reduced to the cash; the equity is
    marked at the close; shorts pay the borrow rate of the bar before for the calendar time since
    it; a book without equity at a close is ruined.

    A symbol that is left out of `bar` is valued at its last close, pays its last borrow rate, and
    counts the bar as one of its orders' delay. An order that is due waits where its symbol has no
    bar and where nothing trades at it, for the next bar with a trade. Of several that are due the
    last decided replaces the others; where it takes them back, none of them is filled.

    Args:
        account: Before the bar; it is not changed.
        bar: The bar; later than the account's last.
        orders: Decided at the close of the bar before, as by `place_orders`.
        costs: Fees, slippage and borrow rates; those that vary are bound to a market that has the
            bar.
        price: Price of the bar at which orders are filled.

    Returns:
        The account at the bar's close, and the fills in the order of execution.

    Raises:
        UsageError: The bar is not later than the last one or than the decision of an order, or the
            costs do not have it; or `price` is neither.
        InvalidBarsError: A price is not positive and finite, or a symbol has one price only.
    """
    _check_bar(account, bar)
    if price not in {"open", "close"}:
        raise UsageError(
            "orders are filled at the open or the close",
            expected="`open` or `close`, as in execution.price",
            found=str(price),
        )
    queue = (*account.orders, *orders)
    _check_decided_before(queue, bar)
    if account.ruined:
        return account.model_copy(update={"timestamp": bar.timestamp, "bar_return": 0.0}), ()
    rates = costs.rates.at(bar.timestamp, bar.close)
    holdings = _holdings_by_symbol(account, bar)
    due, waiting = _split_due(queue, bar, holdings)
    prices = {symbol: holding.close for symbol, holding in holdings.items()}
    prices |= bar.open if price == "open" else bar.close
    executed = _execute(due, account.available_cash, holdings, prices, rates)
    equity = account.cash + _value(holdings.values(), prices)
    fills = tuple(
        _make_fill(bar.timestamp, symbol, order, prices[symbol], equity)
        for symbol, order in executed.items()
    )
    traded = account.model_copy(
        update={
            **_cash_after(account, executed.values()),
            "holdings": tuple(
                _trade(holding, due.get(symbol), executed.get(symbol))
                for symbol, holding in holdings.items()
            ),
            "orders": waiting,
        }
    )
    return _mark_to_market(traded, account, bar, rates), fills


def _split_due(
    orders: tuple[Order, ...], bar: BarPrices, holdings: Mapping[str, Holding]
) -> tuple[dict[str, Order], tuple[Order, ...]]:
    """The orders to fill at the bar, by symbol, and those that wait on."""
    kept = _find_newest_due(orders, holdings)
    due = {symbol: orders[number] for symbol, number in kept.items() if bar.fills(symbol)}
    waiting = []
    for number, order in enumerate(orders):
        if order.due_in_bars > 1:
            waiting.append(order.model_copy(update={"due_in_bars": order.due_in_bars - 1}))
        elif kept.get(order.symbol) == number and order.symbol not in due:
            late = {"due_in_bars": 0, "waited_bars": order.waited_bars + 1}
            waiting.append(order.model_copy(update=late))
    return due, tuple(waiting)


def _find_newest_due(orders: tuple[Order, ...], holdings: Mapping[str, Holding]) -> dict[str, int]:
    """Symbol -> place of its last order that is due; without those that take back others."""
    newest: dict[str, int] = {}
    replacing = set()
    for number, order in enumerate(orders):
        if order.due_in_bars <= 1:
            if order.symbol in newest:
                replacing.add(order.symbol)
            newest[order.symbol] = number
    for symbol in replacing:
        filled = holdings[symbol].target_weight if symbol in holdings else 0.0
        if orders[newest[symbol]].target_weight == filled:
            del newest[symbol]
    return newest


def _holdings_by_symbol(account: Account, bar: BarPrices) -> dict[str, Holding]:
    holdings = {holding.symbol: holding for holding in account.holdings}
    for symbol, close in bar.close.items():
        holdings.setdefault(symbol, Holding(symbol=symbol, close=close))
    return holdings


def _execute(
    due: Mapping[str, Order],
    cash: float,
    holdings: Mapping[str, Holding],
    prices: Mapping[str, float],
    rates: Mapping[str, BarRates],
) -> dict[str, ExecutedOrder]:
    """Orders that traded, in the order of execution: by the value that they are to trade."""
    values = {
        symbol: holding.available_units * prices[symbol] for symbol, holding in holdings.items()
    }
    equity = cash
    for value in values.values():
        equity += value
    wanted = {
        symbol: due[symbol].target_weight * equity - values[symbol]
        for symbol in holdings
        if symbol in due
    }
    executed = {}
    for symbol in sorted(wanted, key=wanted.__getitem__):
        funds = Funds(cash, holdings[symbol].available_units, equity)
        fee, slippage, _ = rates[symbol]
        order = execute_target_weight(
            due[symbol].target_weight, funds, prices[symbol], fee=fee, slippage=slippage
        )
        if order is not None:
            executed[symbol] = order
            cash = order.cash
    return executed


def _trade(holding: Holding, due: Order | None, executed: ExecutedOrder | None) -> Holding:
    """The holding after its order; the same where none was due."""
    if due is None:
        return holding
    update: dict[str, float] = {"target_weight": due.target_weight}
    if executed is not None:
        update |= {
            "units": add_units(holding.units, executed.size / INITIAL_CASH),
            "available_units": executed.units,
        }
    return holding.model_copy(update=update)


def _cash_after(account: Account, executed: Iterable[ExecutedOrder]) -> dict[str, float]:
    """The cash of the account after its fills."""
    available, flow = account.available_cash, 0.0
    for order in executed:
        available = order.cash
        flow += -(order.size / INITIAL_CASH) * order.price - order.fee / INITIAL_CASH
    return {"available_cash": available, "cash_flow": account.cash_flow + flow}


def _make_fill(
    timestamp: datetime, symbol: str, order: ExecutedOrder, reference: float, equity: float
) -> Fill:
    size = abs(order.size / INITIAL_CASH)
    return Fill(
        timestamp=timestamp,
        symbol=symbol,
        side="buy" if order.size > 0 else "sell",
        size=size,
        price=order.price,
        fee=order.fee / INITIAL_CASH,
        slippage_cost=abs(order.price - reference) * size,
        equity=equity,
    )


def _mark_to_market(
    traded: Account, before: Account, bar: BarPrices, rates: Mapping[str, BarRates]
) -> Account:
    """The account at the bar's close: valued, charged for its shorts, perhaps ruined."""
    holdings = tuple(
        holding.model_copy(
            update={
                "close": bar.close[holding.symbol],
                "borrow_per_year": rates[holding.symbol].borrow_per_year,
            }
        )
        if holding.symbol in bar.close
        else holding
        for holding in traded.holdings
    )
    equity = traded.cash + _value(holdings, {held.symbol: held.close for held in holdings})
    kept = 1.0 - _borrow_charge(before, bar.timestamp)
    if equity <= 0 or kept <= 0:
        return _RUINED.model_copy(update={"timestamp": bar.timestamp})
    return traded.model_copy(
        update={
            "timestamp": bar.timestamp,
            "holdings": holdings,
            "marked_equity": equity,
            "borrow_factor": before.borrow_factor * kept,
            "bar_return": equity * kept / before.marked_equity - 1.0,
        }
    )


def _value(holdings: Iterable[Holding], prices: Mapping[str, float]) -> float:
    """Value of the units at these prices."""
    # Added one by one, as numpy adds so few: from Python 3.12 on sum() rounds otherwise.
    value = 0.0
    for holding in holdings:
        value += holding.units * prices[holding.symbol]
    return value


def _borrow_charge(account: Account, now: datetime) -> float:
    """What the shorts at the last close pay until now, as a fraction of the equity."""
    if account.timestamp is None:
        return 0.0
    weights = account.held_weights
    per_year = 0.0
    for holding in account.holdings:
        per_year += max(0.0, -weights[holding.symbol]) * holding.borrow_per_year
    return per_year * ((now - account.timestamp) / timedelta(days=1) / DAYS_PER_YEAR)


def _check_decided_before(orders: Iterable[Order], bar: BarPrices) -> None:
    late = next((order for order in orders if order.decided_on >= bar.timestamp), None)
    if late is not None:
        raise UsageError(
            "Orders cannot be filled before they are decided",
            expected=f"an order decided at a bar before {bar.timestamp}",
            found=f"one decided on {late.decided_on}",
            where=late.symbol,
            fix="step with it at the next bar",
        )


def _check_bar(account: Account, bar: BarPrices) -> None:
    if account.timestamp is not None and bar.timestamp <= account.timestamp:
        raise UsageError(
            "bars are stepped over in the order of time",
            expected=f"a bar later than {account.timestamp}",
            found=f"{bar.timestamp}",
        )
    _check_prices(bar)
    if unknown := bar.traded.keys() - bar.close.keys():
        raise UsageError(
            "a symbol that has no bar is said to have traded or not",
            expected="in `traded` symbols of `open` and `close` alone",
            found=", ".join(sorted(unknown)),
            where=f"bar {bar.timestamp}",
            fix="leave the symbol out of `traded`",
        )


def _check_prices(bar: BarPrices) -> None:
    for column, prices in (("open", bar.open), ("close", bar.close)):
        for symbol in bar.open.keys() | bar.close.keys():
            found = prices.get(symbol, math.nan)
            if not (math.isfinite(found) and found > 0):
                raise InvalidBarsError(
                    f"a {column} price cannot be traded at",
                    expected="a positive, finite open and close of each symbol",
                    found=f"{found}",
                    where=f"{symbol} at {bar.timestamp}",
                    fix="leave a symbol without a bar out of both",
                )

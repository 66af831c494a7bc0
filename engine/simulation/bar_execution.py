"""The orders that are due at one bar of an account, filled at its prices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from engine.simulation import accounting
from engine.simulation.account import Account, BarPrices, Fill, Holding
from engine.simulation.accounting.tables import BarFills, OrderCosts
from engine.simulation.order_queue import find_due, find_waiting
from engine.simulation.rate_values import BarRates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.signals.orders import Order

_NO_RATES = BarRates(0.0, 0.0, 0.0)
"""Of a symbol without a bar, whose orders wait."""


class OrderBook(NamedTuple):
    """The orders of a bar, and what they meet.

    Attributes:
        queue: Those that are due or wait.
        decided: Symbol -> the target decided last, where it is not that of the holding.
        holdings: By symbol.
        prices: Of the fills, by symbol.
        equity: At these prices.
    """

    queue: tuple[Order, ...]
    decided: Mapping[str, float]
    holdings: Mapping[str, Holding]
    prices: Mapping[str, float]
    equity: float


def fill_orders(
    financed: Account,
    bar: BarPrices,
    book: OrderBook,
    rates: Mapping[str, BarRates],
    loan_rate: float,
) -> tuple[Account, tuple[Fill, ...]]:
    """The account after the orders that are due, and their fills."""
    queue, decided, holdings, prices, equity = book
    due = find_due(queue, bar, holdings)
    execution = _execute(due, financed.available_cash, holdings, prices, rates, loan_rate)
    filled = due.keys() - execution.unfilled.keys()
    traded = financed.with_values(
        available_cash=execution.available_cash,
        cash_flow=financed.cash_flow + execution.cash_flow,
        holdings=tuple(
            _update_holding(holding, due, execution, decided) for holding in holdings.values()
        ),
        orders=find_waiting(queue, holdings, filled),
    )
    return traded, _make_fills(bar.timestamp, due, execution, prices, equity)


class _Execution(NamedTuple):
    """The fills of a bar, an entry a symbol, and the cash after them."""

    symbols: list[str]
    fills: BarFills
    due: int
    available_units: list[float]
    available_cash: float
    cash_flow: float

    @property
    def unfilled(self) -> dict[str, float]:
        """Symbol -> units that the bar could not fill, of those that it could not."""
        left = zip(self.symbols, self.fills.unfilled, strict=True)
        return {symbol: units for symbol, units in left if units != 0}


def _execute(
    due: Mapping[str, Order],
    cash: float,
    holdings: Mapping[str, Holding],
    prices: Mapping[str, float],
    rates: Mapping[str, BarRates],
    loan_rate: float,
) -> _Execution:
    """Fills what is due, in the order of execution: by the value that is to be traded."""
    symbols = list(holdings)
    nothing = [0.0] * len(symbols)
    fills = BarFills([0] * len(symbols), *(nothing.copy() for _ in range(4)))
    units = [holding.available_units for holding in holdings.values()]
    charged = [rates.get(symbol, _NO_RATES) for symbol in symbols]
    cash, count = accounting.execute_orders(
        [due[symbol].target_weight if symbol in due else math.nan for symbol in symbols],
        cash,
        units,
        [prices[symbol] for symbol in symbols],
        OrderCosts(*([getattr(rate, name) for rate in charged] for name in OrderCosts._fields)),
        accounting.credit_of(loan_rate),
        fills,
    )
    flow = accounting.cash_flow_of(fills, count)
    return _Execution(symbols, fills, count, units, cash, flow)


def _update_holding(
    holding: Holding,
    due: Mapping[str, Order],
    execution: _Execution,
    decided: Mapping[str, float],
) -> Holding:
    """The holding after its order and the newest decision."""
    symbol = holding.symbol
    update: dict[str, float | None] = {}
    decided_weight = decided.get(symbol, holding.decided_weight)
    if decided_weight != holding.decided_weight:
        update["decided_weight"] = decided_weight
    if symbol in due:
        place = execution.symbols.index(symbol)
        size = execution.fills.size[place]
        if symbol not in execution.unfilled:
            update["target_weight"] = due[symbol].target_weight
        elif size != 0:
            update["target_weight"] = None
        if size != 0:
            update["units"] = accounting.add_units(holding.units, size)
            update["available_units"] = execution.available_units[place]
    return holding.with_values(**update) if update else holding


def _make_fills(
    timestamp: datetime,
    due: Mapping[str, Order],
    execution: _Execution,
    prices: Mapping[str, float],
    equity: float,
) -> tuple[Fill, ...]:
    """The fills of a bar in the order of execution."""
    fills = []
    for place in execution.fills.sequence[: execution.due]:
        symbol, size = execution.symbols[place], execution.fills.size[place]
        if size == 0:
            continue
        price = execution.fills.price[place]
        fills.append(
            Fill(
                timestamp=timestamp,
                symbol=symbol,
                side="buy" if size > 0 else "sell",
                size=abs(size),
                price=price,
                fee=execution.fills.fee[place],
                slippage_cost=abs(price - prices[symbol]) * abs(size),
                equity=equity,
                margin_call=due[symbol].margin_call,
            )
        )
    return tuple(fills)

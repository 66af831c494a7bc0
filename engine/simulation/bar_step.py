"""One bar of a book: orders that are due are filled, and the account is marked at the close."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from engine.core.calendar_time import DAYS_PER_YEAR, days_between
from engine.simulation import accounting
from engine.simulation.account import Account, BarPrices, Fill, Holding
from engine.simulation.accounting import INITIAL_CASH, RUIN_FLOOR
from engine.simulation.accounting.tables import YearlyRates
from engine.simulation.bar_checks import check_bar, check_decided_before, check_terms
from engine.simulation.bar_execution import OrderBook, fill_orders
from engine.simulation.order_queue import (
    hold_back,
    newest_decisions,
    queue_orders,
    settle_orders,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from engine.signals.orders import Order
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import TradingCosts
    from engine.simulation.rate_values import BarRates


def step(
    account: Account,
    bar: BarPrices,
    orders: Iterable[Order],
    costs: TradingCosts,
    *,
    price: Literal["open", "close"] = "open",
    cash_rate: float = 0.0,
    maintenance_margin: float | None = None,
) -> tuple[Account, tuple[Fill, ...]]:
    """Moves an account over one bar; over the bars of a market it keeps the books of `simulate`.

    The rules are those of `simulate` and `fill_targets`, and the books are equal bit for bit: the
    cash pays for the shorts of the last close and earns the yield known then; orders due are
    filled at the bar's open or close, sells first, small buys before large ones, buys reduced to
    the cash; the equity is marked at the close; a book whose equity falls below `RUIN_FLOOR`, at
    the prices of the fills or at the close, is ruined; after a margin call all is closed.

    A symbol that is left out of `bar` is valued at its last close, pays its last borrow rate, and
    counts the bar as one of its orders' delay. An order that is due waits where its symbol has no
    bar and where nothing trades at it, for the next bar with a trade. Of several that are due the
    last decided replaces the others; where it takes them back, none of them is filled. An order
    waits too where its price at the bar is before its decision, by `bar.instants`. What is held of
    a symbol in `bar.settled` is paid out, without costs, and its orders are cancelled.

    Args:
        account: Before the bar; it is not changed.
        bar: The bar; later than the account's last.
        orders: Decided at the close of the bar before, as by `place_orders`.
        costs: Fees, slippage and borrow rates; those that vary are bound to a market that has the
            bar.
        price: Price of the bar at which orders are filled.
        cash_rate: Yield on cash known at the bar's close, a fraction a year; earned from then on.
        maintenance_margin: As in `Execution`; None is none.

    Returns:
        The account at the bar's close, and the fills in the order of execution.

    Raises:
        UsageError: The bar is not later than the last one or than the decision of an order, or the
            costs do not have it; or `price` is neither, or the yield is not finite.
        InvalidBarsError: A price is not positive and finite, or a symbol has one price only.
    """
    check_terms(price, cash_rate)
    check_bar(account, bar, price)
    queue = queue_orders(account, orders)
    check_decided_before((*queue, *orders), bar)
    bar = bar.with_settlements()
    queue = hold_back(settle_orders(queue, account, bar), bar)
    if account.ruined:
        nothing = dict.fromkeys(("bar_return", *_FINANCING), 0.0)
        return account.with_values(timestamp=bar.timestamp, **nothing), ()
    decided = newest_decisions((*account.orders, *orders)) | dict.fromkeys(bar.settled, 0.0)
    rates = _rates_at(costs.rates, bar)
    funding = {symbol: rate.funding(price) for symbol, rate in rates.items()}
    financed = _finance(account, bar.timestamp, funding)
    holdings = _holdings_by_symbol(account, bar)
    prices = {symbol: holding.close for symbol, holding in holdings.items()}
    prices |= bar.open if price == "open" else bar.close
    equity = financed.cash + _value(holdings.values(), prices)
    if equity < RUIN_FLOOR:
        return _ruin(financed, bar), ()
    if queue or decided:
        order_book = OrderBook(queue, decided, holdings, prices, equity)
        traded, fills = fill_orders(financed, bar, order_book, rates, costs.rates.loan_rate)
    else:
        traded, fills = financed.with_values(holdings=tuple(holdings.values())), ()
    if account.timestamp is not None:
        traded = _fund_after_fills(traded, funding)
    after = traded.cash + _value(traded.holdings, prices)
    known = {"cash_rate": cash_rate, "loan_per_year": costs.rates.loan_per_year}
    marked = _mark_to_market(traded, account, bar, rates, known)
    if min(after, marked.equity) < RUIN_FLOOR:
        return _ruin(traded, bar), fills
    called = _is_called(marked, maintenance_margin)
    return marked.with_values(margin_call=True) if called else marked, fills


_FINANCING = ("borrow", "interest", "funding", "loan_interest")
"""What an account pays and earns between fills, as columns of `SimulationResult.financing`."""


def _rates_at(rates: CostRates, bar: BarPrices) -> Mapping[str, BarRates]:
    """What the bar charges, by symbol; the payment for a delisted symbol is free."""
    if not bar.settled:
        return rates.at(bar.timestamp, bar.close)
    traded = [symbol for symbol in bar.close if symbol not in bar.settled]
    free = dict.fromkeys(bar.settled, rates.of_settlement)
    return {**rates.at(bar.timestamp, traded), **free}


def _finance(
    account: Account, now: datetime, funding: Mapping[str, tuple[float, float]]
) -> Account:
    """The account after what its last close pays and earns until now, before the fills."""
    if account.timestamp is None:
        return account
    held = account.holdings
    financing = accounting.finance_bar(
        [holding.units for holding in held],
        [holding.close for holding in held],
        account.equity,
        YearlyRates(
            [holding.borrow_per_year for holding in held],
            account.cash_rate,
            math.nan if account.loan_per_year is None else account.loan_per_year,
        ),
        days_between(account.timestamp, now) / DAYS_PER_YEAR,
    )
    paid = _funding_of(held, funding, 0)
    earned = accounting.net_of_financing(financing, paid)
    return account.with_values(
        cash_flow=account.cash_flow + earned,
        available_cash=account.available_cash + earned * INITIAL_CASH,
        borrow=financing.borrow,
        interest=financing.interest,
        funding=paid,
        loan_interest=financing.loan_interest,
    )


def _fund_after_fills(traded: Account, funding: Mapping[str, tuple[float, float]]) -> Account:
    """The account after the funding that the bar's positions pay after its fills."""
    if not any(after for _, after in funding.values()):
        return traded
    paid = _funding_of(traded.holdings, funding, 1)
    return traded.with_values(
        cash_flow=traded.cash_flow - paid,
        available_cash=traded.available_cash - paid * INITIAL_CASH,
        funding=traded.funding + paid,
    )


def _funding_of(
    held: Iterable[Holding], funding: Mapping[str, tuple[float, float]], part: int
) -> float:
    """What holdings pay at their last closes: before (0) or after (1) the fills of a bar."""
    if not any(due[part] for due in funding.values()):
        return 0.0
    holdings = list(held)
    return accounting.fund_positions(
        [holding.units for holding in holdings],
        [holding.close for holding in holdings],
        [funding.get(holding.symbol, (0.0, 0.0))[part] for holding in holdings],
    )


def _ruin(financed: Account, bar: BarPrices) -> Account:
    return Account(
        timestamp=bar.timestamp,
        cash_flow=-1.0,
        available_cash=0.0,
        equity=0.0,
        bar_return=-1.0,
        **{name: getattr(financed, name) for name in _FINANCING},
        ruined=True,
    )


def _holdings_by_symbol(account: Account, bar: BarPrices) -> dict[str, Holding]:
    holdings = {holding.symbol: holding for holding in account.holdings}
    for symbol, close in bar.close.items():
        holdings.setdefault(symbol, Holding(symbol=symbol, close=close))
    if not bar.symbols:
        return holdings
    return {symbol: holdings[symbol] for symbol in bar.symbols if symbol in holdings}


def _mark_to_market(
    traded: Account,
    before: Account,
    bar: BarPrices,
    rates: Mapping[str, BarRates],
    known: Mapping[str, float | None],
) -> Account:
    """The account at the bar's close, with what is known then beside; nothing is called yet."""
    holdings = tuple(
        holding.with_values(
            close=bar.close[holding.symbol],
            borrow_per_year=rates[holding.symbol].borrow_per_year,
        )
        if holding.symbol in bar.close
        else holding
        for holding in traded.holdings
    )
    equity = traded.cash + _value(holdings, {held.symbol: held.close for held in holdings})
    return traded.with_values(
        timestamp=bar.timestamp,
        holdings=holdings,
        equity=equity,
        bar_return=equity / before.equity - 1.0,
        margin_call=False,
        **known,
    )


def _is_called(account: Account, maintenance_margin: float | None) -> bool:
    held = account.holdings
    return accounting.is_called(
        [holding.units for holding in held],
        [holding.close for holding in held],
        account.equity,
        maintenance_margin or 0.0,
    )


def _value(holdings: Iterable[Holding], prices: Mapping[str, float]) -> float:
    """Value of the units at these prices."""
    held = list(holdings)
    return accounting.value_units(
        [holding.units for holding in held], [prices[holding.symbol] for holding in held]
    )

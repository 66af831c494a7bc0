"""Simulation of a book: returns, holdings and trades from target weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.signals.orders import find_waits, schedule_orders
from engine.simulation.alignment import (
    align_cash_rates,
    align_prices,
    align_trading,
    check_weights,
)
from engine.simulation.book_values import BookValues, Terms, Variation, value_books

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pandas.api.extensions import ExtensionDtype

    from engine.core.types import Vector, WideFrame
    from engine.simulation.config import Execution
    from engine.simulation.costs import TradingCosts

MAX_BATCH_CELLS = 2**21
"""Largest bars x symbols x books in one call of vectorbt, about 100 MB of its arrays."""

_MANY_SYMBOLS = 50
"""Symbols from which on the compiled fold takes a fifth to a half of the time of vectorbt, which
looks at every symbol of a bar. The run's own books are filled by vectorbt all the same: the
leakage test compares them with the fold."""

_FINANCING = ("borrow", "interest", "funding", "loan_interest")
_SIDES = pd.array(["sell", "buy"], dtype="str")


@dataclass(frozen=True)
class SimulationResult:
    """The simulated result of one book; money for an initial equity of 1.

    Attributes:
        returns: Series by timestamp: net return of the bar, marked at its close; 0 on the first.
        held_weights: Wide: fraction of the equity held in each symbol at the bar's close, signed.
        trades: All fills in the order of execution: timestamp, symbol, side (`buy`, `sell`), size
            (units, positive), price (with slippage), fee, slippage_cost, equity (of the book, at
            the fill's prices, before the bar's first fill), margin_call (whether one placed the
            order).
        waits: The orders that were due at a bar at which nothing traded, see `find_waits`.
        financing: By timestamp: `borrow`, the borrow cost that the bar paid, `interest`, what the
            cash earned, `funding`, what perpetuals paid, negative where they received it, and
            `loan_interest`, what borrowed cash cost. The equity at a close is 1, less the cost of
            all buys, plus the proceeds of all sells, less borrow, funding and loan interest, plus
            interest, plus sum of units x close.
        margin_calls: The closes at which the book fell below the maintenance margin.
        limited: The orders that a bar could not fill to the end, by `CostRates.limit`, a row a bar
            and order: timestamp, symbol, filled (units), unfilled (units, which wait for the next
            bar), price (before slippage).
        waiting: Symbol -> bars that its order has waited after the last bar, because a bar could
            not fill it or nothing traded; None where no bar left a part of an order.
    """

    returns: pd.Series[float]
    held_weights: WideFrame
    trades: pd.DataFrame
    waits: pd.DataFrame
    financing: pd.DataFrame
    margin_calls: pd.DatetimeIndex
    limited: pd.DataFrame
    waiting: Mapping[str, int] | None


def simulate(  # noqa: PLR0913 - all that fills depend on
    weights: WideFrame,
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    costs: TradingCosts,
    execution: Execution,
    traded: WideFrame | None = None,
    settlements: WideFrame | None = None,
    cash_rates: float | pd.Series[float] = 0.0,
) -> SimulationResult:
    """Simulates one book: decided at the close of t, filled at the `price` of bar t + `delay`.

    Orders are placed only where a symbol's target changes; in between, units are held and the
    weight drifts. Where nothing trades at bar t + `delay`, the order waits for the next bar of its
    symbol that trades; a later order that is due by then replaces it, and one back to the target
    filled last takes it back, see `defer_orders`. Where a bar fills a part of an order alone, by
    `costs`, the rest waits likewise, and is sized anew. Positions are marked at the close through
    it all. A decision whose fill would be after the last bar is not filled.

    Equity is marked at the close: e_t = cash_t + sum of units_t x close_t, e_0 = 1, and the return
    of a bar is e_t / e_{t-1} - 1. Before the fills of a bar the cash pays the borrow cost of what
    was short at the last close, and earns the yield on what was neither invested nor the proceeds
    of a short sale,

        years_t (cash_rate_{t-1} max(0, e_{t-1} - long_{t-1}) - sum of borrow_{t-1} short_{t-1})

    with the long and short values at the last close, the rates of that bar, and years_t the
    calendar time between the two bars in years of 365.25 days: a short position pays overnight,
    and over a weekend for three nights.

    A book whose equity falls below `RUIN_FLOOR` is ruined on that bar, be it at the prices of its
    fills, before or after them, or at its close: the return of that bar is -100 %, and nothing is
    held or traded afterwards.

    With `execution.maintenance_margin`, a book whose equity is less than that share of its gross
    exposure at a close is called: the orders decided by then are cancelled, every position is
    closed at the next bar's fill price, and nothing is held until a target changes.

    Args:
        weights: Wide target weights decided at each close, 1.0 is 100 % of the equity, negative is
            short; no NaN.
        bars_open: Wide, the rows of `weights` and at least its symbols; positive, no NaN. Not
            read where fills are at the close.
        bars_close: As `bars_open`.
        costs: Fees, slippage and borrow rates, bound to the market.
        execution: Delay in bars, price of the fill's bar, and maintenance margin.
        traded: Wide, whether something trades at each bar, as `Market.traded`; the rows of
            `weights` and at least its symbols. None where it does at all of them.
        settlements: Wide and bool, the rows of `weights` and at least its symbols: where a symbol
            is found to be delisted, as `Market.settlements`. What is held of it is paid out at the
            price of that row, whatever was decided, and without costs.
        cash_rates: Yield on cash, a fraction a year: one for all bars, or a series on the rows of
            `weights` of what is known at each close; cash earns it until the next close.

    Returns:
        Returns and holdings on the rows of `weights`; no NaN.

    Raises:
        UsageError: The frames do not match, or a weight or a yield is not finite.
        InvalidBarsError: A price is missing or not positive.
    """
    return simulate_all(
        {"book": weights},
        bars_open,
        bars_close,
        costs=costs,
        execution=execution,
        traded=traded,
        settlements=settlements,
        cash_rates=cash_rates,
    )["book"]


def simulate_all(  # noqa: PLR0913 - all that fills depend on
    weights_by_book: Mapping[str, WideFrame],
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    costs: TradingCosts,
    execution: Execution,
    traded: WideFrame | None = None,
    settlements: WideFrame | None = None,
    cash_rates: float | pd.Series[float] = 0.0,
    bar_by_bar: bool = False,
    lags: WideFrame | None = None,
) -> dict[str, SimulationResult]:
    """Simulates books on the same bars, each as `simulate` does.

    Args:
        weights_by_book: Book -> weights as in `simulate`; the same rows and symbols in all.
        bars_open: As in `simulate`.
        bars_close: As in `simulate`.
        costs: As in `simulate`.
        execution: As in `simulate`.
        traded: As in `simulate`.
        settlements: As in `simulate`.
        cash_rates: As in `simulate`.
        bar_by_bar: Fold every book, without vectorbt, whose import takes two seconds: the figures
            are equal bit for bit.
        lags: As in `schedule_orders`, on the rows of the weights; without a maintenance margin.

    Raises:
        UsageError: As in `simulate`.
        InvalidBarsError: As in `simulate`.
    """
    for weights in weights_by_book.values():
        check_weights(weights)
    first = next(iter(weights_by_book.values()))
    closes = align_prices(bars_close, first, "close")
    terms = Terms(
        prices=align_prices(bars_open, first, "open") if execution.price == "open" else closes,
        closes=closes,
        **align_trading(traded, settlements, first),
        cash_rates=align_cash_rates(cash_rates, first),
        maintenance_margin=execution.maintenance_margin or 0.0,
        fill_price=execution.price,
    )
    books = [
        Variation(schedule_orders(weights, execution.delay, lags), execution.delay, costs, lags)
        for weights in weights_by_book.values()
    ]
    values = value_books(books, terms, bar_by_bar=bar_by_bar)
    return {
        book: _make_result(each, terms) for book, each in zip(weights_by_book, values, strict=True)
    }


def simulate_variations(
    variations: Iterable[Variation],
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    execution: Execution,
    traded: WideFrame | None = None,
    settlements: WideFrame | None = None,
    cash_rates: float | pd.Series[float] = 0.0,
) -> Iterator[Vector]:
    """Net returns of variations of one book, equal to those of `simulate` to the last digit.

    Args:
        variations: Order schedules, each with its costs and its own delay.
        bars_open: Wide, the rows and symbols of the schedules; positive, no NaN. Not read where
            fills are at the close.
        bars_close: As `bars_open`.
        execution: Price of a fill's bar and maintenance margin; its delay is not used.
        traded: As in `simulate`.
        settlements: As in `simulate`.
        cash_rates: As in `simulate`.

    Yields:
        Shape (n,), in the order of the variations; they are filled in batches limited by memory.
    """
    terms = Terms(
        prices=bars_open if execution.price == "open" else bars_close,
        closes=bars_close,
        **align_trading(traded, settlements, bars_close),
        cash_rates=align_cash_rates(cash_rates, bars_close),
        maintenance_margin=execution.maintenance_margin or 0.0,
        fill_price=execution.price,
    )
    batch_size = max(1, MAX_BATCH_CELLS // bars_close.size)
    folded = bars_close.shape[1] >= _MANY_SYMBOLS
    remaining = iter(variations)
    while batch := list(islice(remaining, batch_size)):
        for values in value_books(batch, terms, bar_by_bar=folded):
            yield values.returns


def _make_result(values: BookValues, terms: Terms) -> SimulationResult:
    index, rows = terms.closes.index, values.traded_rows
    traded = None if terms.traded is None else terms.traded.iloc[:rows]
    return SimulationResult(
        returns=pd.Series(values.returns, index=index, name="returns"),
        held_weights=pd.DataFrame(
            values.held_weights(terms.closes.to_numpy()), index=index, columns=terms.closes.columns
        ),
        trades=_make_trades_table(values, terms.prices),
        waits=find_waits(values.orders.iloc[:rows], traded),
        financing=pd.DataFrame(
            np.column_stack([getattr(values, name) for name in _FINANCING]),
            index=index,
            columns=pd.Index(_FINANCING),
        ),
        margin_calls=pd.DatetimeIndex(index[values.called]),
        limited=_make_limited_table(values, terms.prices),
        waiting=_find_waiting(values, terms.prices),
    )


def _find_waiting(values: BookValues, prices: WideFrame) -> dict[str, int] | None:
    if values.waited is None or not values.unfilled.any():
        return None
    waited = zip(prices.columns, values.waited, strict=True)
    return {str(symbol): int(bars) for symbol, bars in waited if bars}


def _make_limited_table(values: BookValues, prices: WideFrame) -> pd.DataFrame:
    if not values.unfilled.any():
        return _nothing_limited(prices.index.dtype).copy(deep=False)
    fills, (row, column) = values.fills, np.nonzero(values.unfilled)
    filled = np.zeros(values.unfilled.shape)
    filled[fills.row, fills.column] = np.abs(fills.size)
    return pd.DataFrame(
        {
            "timestamp": prices.index[row],
            "symbol": prices.columns.astype("str").take(column),
            "filled": filled[row, column],
            "unfilled": values.unfilled[row, column],
            "price": prices.to_numpy()[row, column],
        }
    )


@lru_cache(maxsize=8)
def _nothing_limited(stamps: ExtensionDtype | np.dtype[Any]) -> pd.DataFrame:
    """The table of no limited fill: to make one takes as long as a fold of a short history."""
    nothing = np.empty(0)
    return pd.DataFrame(
        {
            "timestamp": pd.Index([], dtype=stamps),
            "symbol": pd.Index([], dtype="str"),
            "filled": nothing,
            "unfilled": nothing,
            "price": nothing,
        }
    )


def _make_trades_table(values: BookValues, prices: WideFrame) -> pd.DataFrame:
    fills = values.fills
    reference = prices.to_numpy()[fills.row, fills.column]
    size = np.abs(fills.size)
    return pd.DataFrame(
        {
            "timestamp": prices.index[fills.row],
            "symbol": prices.columns.astype("str").take(fills.column),
            "side": _SIDES.take((fills.size > 0).astype(np.intp)),
            "size": size,
            "price": fills.price,
            "fee": fills.fee,
            "slippage_cost": np.abs(fills.price - reference) * size,
            "equity": values.equity_at_fill[fills.row],
            "margin_call": fills.forced,
        }
    )

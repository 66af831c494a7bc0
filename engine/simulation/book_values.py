"""What a book is worth at each bar: of the fills of vectorbt, or folded bar by bar.

vectorbt fills a book whose cash changes by fills alone. A book that pays or earns between fills,
that a margin call may close, or whose fills pay by their size or are cut to what a bar can fill,
is folded by `accounting.fold_bars`, compiled: vectorbt takes neither cash nor orders in between.
Where both can, they are equal bit for bit.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.core.calendar_time import year_fractions
from engine.signals.orders import defer_orders, settle_orders
from engine.simulation import accounting
from engine.simulation.accounting import RUIN_FLOOR
from engine.simulation.accounting.tables import BarRecords, OrderCosts, RateTables
from engine.simulation.cost_rates import FUNDING
from engine.simulation.fills import Fills, fill_books

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector, WideFrame
    from engine.simulation.costs import TradingCosts


MAX_INTERPRETED_BARS = 20_000
"""Bars of all symbols together that are folded without Numba where nothing has imported it."""


@dataclass(frozen=True)
class Variation:
    """The orders of a book, and what they cost.

    Attributes:
        orders: As by `schedule_orders`.
        delay: Rows from a decision to the row at which it is due.
        costs: Fees, slippage and borrow rates.
        lags: Those of the schedule, see `schedule_orders`.
    """

    orders: WideFrame
    delay: int
    costs: TradingCosts
    lags: WideFrame | None = None


@dataclass(frozen=True)
class Terms:
    """What the books of one simulation have in common.

    Attributes:
        prices: Prices of the fills.
        closes: Closes, of the same shape.
        traded: Whether something trades at each bar, or a symbol is paid out; None where it does
            at all.
        settlements: Whether a symbol is found to be delisted and paid out, without costs; None
            where none is.
        cash_rates: Yields on cash a year, shape (1,) or (n,).
        maintenance_margin: Share of the gross exposure; 0 is none.
        fill_price: Price of the bar at which orders are filled.
    """

    prices: WideFrame
    closes: WideFrame
    traded: WideFrame | None
    cash_rates: Vector
    maintenance_margin: float
    fill_price: Literal["open", "close"] = "open"
    settlements: WideFrame | None = None

    @property
    def settled(self) -> BoolMatrix | None:
        """`settlements` as an array."""
        return None if self.settlements is None else self.settlements.to_numpy()


@dataclass(frozen=True)
class BookValues:
    """A book at each bar; money for an initial equity of 1.

    Attributes:
        fills: While the book lived.
        orders: Those that were due: of the schedule, less what a margin call cancelled, and with
            what it placed.
        equity: At each close, shape (n,); 0 from the ruin on.
        equity_at_fill: At the prices of the fills before the first one, shape (n,).
        units: After each bar's fills, shape (n, k); 0 from the ruin on.
        borrow: Borrow cost that each bar paid, shape (n,).
        interest: Interest that each bar earned, shape (n,).
        funding: Funding that each bar paid, shape (n,); negative where it received some.
        loan_interest: Interest on borrowed cash that each bar paid, shape (n,).
        called: Whether the close fell below the maintenance margin, shape (n,).
        traded_rows: Rows that may have fills: all, or those up to the ruin.
        unfilled: Units that each bar could not fill and that waited, shape (n, k).
        waited: As in `BarRecords`; None of a book that is not folded, whose bars fill any order.
    """

    fills: Fills
    orders: WideFrame
    equity: Vector
    equity_at_fill: Vector
    units: Matrix
    borrow: Vector
    interest: Vector
    funding: Vector
    loan_interest: Vector
    called: BoolVector
    traded_rows: int
    unfilled: Matrix
    waited: IntVector | None

    @property
    def returns(self) -> Vector:
        """Net return of each bar; -1 where the book is ruined and 0 afterwards, shape (n,)."""
        before = np.concatenate([[1.0], self.equity[:-1]])
        growth = np.ones_like(self.equity)
        np.divide(self.equity, before, out=growth, where=before > 0)
        returns: Vector = growth - 1.0
        return returns

    def held_weights(self, closes: Matrix) -> Matrix:
        """Fraction of the equity held at each close, signed, shape (n, k)."""
        held = np.zeros_like(self.units)
        equity = self.equity[:, None]
        np.divide(self.units * closes, equity, out=held, where=equity > 0)
        return held


def value_books(
    books: Sequence[Variation], terms: Terms, *, bar_by_bar: bool = False
) -> list[BookValues]:
    """The values of books on the same bars; those that vectorbt fills take one call of it.

    Args:
        books: Orders and costs of each.
        terms: What they have in common.
        bar_by_bar: Folds every book, where importing vectorbt takes longer than the fold.
    """
    books = _settle(books, terms)
    folded = [bar_by_bar or _changes_between_fills(book, terms) for book in books]
    ordinary = [book for book, folds in zip(books, folded, strict=True) if not folds]
    # A schedule that several costs share is deferred once.
    schedules = {id(book.orders): book.orders for book in ordinary}
    filled = {key: defer_orders(orders, terms.traded) for key, orders in schedules.items()}
    fills = iter(
        fill_books(
            [filled[id(book.orders)] for book in ordinary],
            terms.prices,
            [book.costs for book in ordinary],
            terms.settled,
        )
        if ordinary
        else ()
    )
    return [
        _fold(book, terms) if folds else mark_fills(next(fills), book.orders, terms)
        for book, folds in zip(books, folded, strict=True)
    ]


def _settle(books: Sequence[Variation], terms: Terms) -> Sequence[Variation]:
    """The books with the orders that pay out delisted symbols; a shared schedule stays shared."""
    if terms.settlements is None:
        return books
    schedules = {(id(book.orders), book.delay): book for book in books}
    settled = {
        key: settle_orders(book.orders, terms.settlements, book.delay, book.lags)
        for key, book in schedules.items()
    }
    return [replace(book, orders=settled[id(book.orders), book.delay]) for book in books]


def _changes_between_fills(book: Variation, terms: Terms) -> bool:
    """Whether cash comes and goes between fills, fills know their size, or a call may be."""
    if terms.maintenance_margin > 0 or terms.cash_rates.any():
        return True
    rates = book.costs.rates
    if rates.depends_on_size or rates.lends:
        return True
    if any(rates.aligned(name, terms.prices).any() for name in FUNDING):
        return True
    borrows = rates.aligned("borrow_per_year", terms.prices).any()
    return bool(borrows and (book.orders.to_numpy() < 0).any())


def mark_fills(fills: Fills, orders: WideFrame, terms: Terms) -> BookValues:
    """Marks fills at each bar, by the arithmetic of `accounting.fold_bars`."""
    prices, closes = terms.prices.to_numpy(), terms.closes.to_numpy()
    units = fills.units_by_bar(closes.shape)
    cash = 1.0 + np.cumsum(fills.cash_flow_by_bar(len(closes)))
    before = np.vstack([np.zeros((1, closes.shape[1])), units[:-1]])
    at_fill = np.concatenate([[1.0], cash[:-1]]) + _value(before, prices)
    equity = cash + _value(units, closes)
    after = cash + _value(units, prices)
    ends_before_fills = _first(at_fill < RUIN_FLOOR)
    ends = min(ends_before_fills, _first(np.minimum(after, equity) < RUIN_FLOOR))
    traded_rows = ends if ends == ends_before_fills else ends + 1
    equity[ends:], units[ends:], at_fill[ends + 1 :] = 0.0, 0.0, 0.0
    nothing = np.zeros(len(closes))
    return BookValues(
        fills=fills.up_to(traded_rows),
        orders=orders,
        equity=equity,
        equity_at_fill=at_fill,
        units=units,
        borrow=nothing,
        interest=nothing,
        funding=nothing,
        loan_interest=nothing,
        called=np.zeros(len(closes), dtype=np.bool_),
        traded_rows=traded_rows,
        unfilled=np.zeros(closes.shape),
        waited=None,
    )


def _value(units: Matrix, prices: Matrix) -> Vector:
    """Value of units at prices at each bar, shape (n,)."""
    # Symbol by symbol, as `step` adds them; numpy's sum adds many in another order.
    value = np.zeros(len(units))
    for column in range(units.shape[1]):
        value += units[:, column] * prices[:, column]
    return value


def _first(condition: BoolVector) -> int:
    """Row of the first bar at which it holds; n where there is none."""
    return int(np.argmax(condition)) if condition.any() else len(condition)


def _choose_fold(bars: int) -> Callable[..., Any]:
    """The fold in Python, or compiled: importing Numba takes as long as 50,000 bars in Python."""
    if bars <= MAX_INTERPRETED_BARS and "numba" not in sys.modules:
        return accounting.fold_arrays
    from engine.simulation.accounting.compiled import fold_arrays

    return fold_arrays


def _fold(book: Variation, terms: Terms) -> BookValues:
    prices, closes = _table(terms.prices), _table(terms.closes)
    traded = (
        np.ones(closes.shape, dtype=np.bool_)
        if terms.traded is None
        else np.array(terms.traded, dtype=np.bool_, order="C")
    )
    own = book.costs.rates
    rates = {
        name: np.array(own.aligned(name, terms.prices, settled=terms.settled), order="C")
        for name in (*OrderCosts._fields, "borrow_per_year")
        if name != "tiers"
    }
    before, after = own.aligned_funding(terms.prices, terms.fill_price)
    charges = RateTables(
        borrow=rates.pop("borrow_per_year"),
        **rates,
        tiers=own.aligned_tiers(terms.prices),
        cash=terms.cash_rates.copy(),
        loan=own.loan_rate,
        funding_before=np.array(before, order="C"),
        funding_after=np.array(after, order="C"),
    )
    rows, shape = len(closes), closes.shape
    kept = BarRecords(
        equity=np.zeros(rows),
        equity_at_fill=np.zeros(rows),
        units=np.zeros(shape),
        borrow=np.zeros(rows),
        interest=np.zeros(rows),
        funding=np.zeros(rows),
        loan_interest=np.zeros(rows),
        called=np.zeros(rows, dtype=np.bool_),
        due=np.full(shape, np.nan),
        unfilled=np.zeros(shape),
        waited=np.zeros(shape[1], dtype=np.int64),
    )
    records, traded_rows = _choose_fold(closes.size)(
        (_table(book.orders), traded, book.delay),
        (prices, closes, year_fractions(terms.closes.index)),
        charges[:],
        terms.maintenance_margin,
        kept[:],  # a plain tuple
    )
    orders = book.orders
    if terms.maintenance_margin > 0:
        orders = orders.copy()
        orders[:] = kept.due
    values = {name: value for name, value in kept._asdict().items() if name != "due"}
    return BookValues(
        fills=Fills.from_table(records), orders=orders, traded_rows=traded_rows, **values
    )


def _table(frame: WideFrame) -> Matrix:
    # A copy: pandas' own arrays are read-only, which Numba would compile the fold anew for.
    return np.array(frame, dtype=np.float64, order="C")

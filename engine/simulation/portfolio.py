"""Simulation of a book: returns, holdings and trades from target weights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, UsageError
from engine.signals.orders import defer_orders, find_waits, schedule_orders
from engine.simulation.fills import Fills, fill_books

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.simulation.config import Execution
    from engine.simulation.costs import TradingCosts

DAYS_PER_YEAR = 365.25

_MAX_BATCH_CELLS = 2**21
"""Largest bars x symbols x books in one call of vectorbt, about 100 MB of its arrays."""


@dataclass(frozen=True)
class SimulationResult:
    """The simulated result of one book.

    Attributes:
        returns: Series by timestamp: net return of the bar, marked at its close; 0 on the first.
        held_weights: Wide: fraction of the equity held in each symbol at the bar's close, signed.
        trades: All fills in the order of execution: timestamp, symbol, side (`buy`, `sell`), size
            (units, positive), price (with slippage), fee, slippage_cost, equity (of the book, at
            the fill's prices, before the bar's first fill). Money for an initial equity of 1,
            before borrow cost, so that the units bought equal the units sold, and size x price /
            equity is the fraction traded whatever the borrow cost.
        waits: The orders that were due at a bar at which nothing traded, see `find_waits`.
    """

    returns: pd.Series[float]
    held_weights: WideFrame
    trades: pd.DataFrame
    waits: pd.DataFrame


def simulate(
    weights: WideFrame,
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    costs: TradingCosts,
    execution: Execution,
    traded: WideFrame | None = None,
) -> SimulationResult:
    """Simulates one book: decided at the close of t, filled at the `price` of bar t + `delay`.

    Orders are placed only where a symbol's target changes; in between, units are held and the
    weight drifts. Where nothing trades at bar t + `delay`, the order waits for the next bar of its
    symbol that trades; a later order that is due by then replaces it, and one back to the target
    filled last takes it back, see `defer_orders`. Positions are marked at the close through it
    all. A decision whose fill would be after the last bar is not filled.

    Equity is marked at the close: e_t = cash_t + sum of units_t x close_t, e_0 = 1. The borrow
    cost of shorts is charged on the bar's return, in proportion to the equity,

        r_t = (e_t / e_{t-1}) (1 - rate x years_t x short_{t-1}) - 1,

    with short_{t-1} the short value at the last close as a fraction of the equity and years_t the
    calendar time between the two bars in years of 365.25 days: a short position pays overnight,
    and over a weekend for three nights. Every holding shrinks by that factor.

    A book whose equity is at or below 0 at a close is ruined: the return of that bar is -100 %,
    and nothing is held or traded afterwards.

    Args:
        weights: Wide target weights decided at each close, 1.0 is 100 % of the equity, negative is
            short; no NaN.
        bars_open: Wide, the rows of `weights` and at least its symbols; positive, no NaN.
        bars_close: As `bars_open`.
        costs: Fees, slippage and borrow rates, bound to the market.
        execution: Delay in bars and price of the fill's bar.
        traded: Wide, whether something trades at each bar, as `Market.traded`; the rows of
            `weights` and at least its symbols. None where it does at all of them.

    Returns:
        Returns and holdings on the rows of `weights`; no NaN.

    Raises:
        UsageError: The frames do not match, or a weight is not finite.
        InvalidBarsError: A price is missing or not positive.
    """
    books = {"book": weights}
    return simulate_all(
        books, bars_open, bars_close, costs=costs, execution=execution, traded=traded
    )["book"]


def simulate_all(
    weights_by_book: Mapping[str, WideFrame],
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    costs: TradingCosts,
    execution: Execution,
    traded: WideFrame | None = None,
) -> dict[str, SimulationResult]:
    """Simulates books on the same bars in one call of vectorbt, each as `simulate` does.

    Args:
        weights_by_book: Book -> weights as in `simulate`; the same rows and symbols in all.
        bars_open: As in `simulate`.
        bars_close: As in `simulate`.
        costs: As in `simulate`.
        execution: As in `simulate`.
        traded: As in `simulate`.

    Raises:
        UsageError: As in `simulate`.
        InvalidBarsError: As in `simulate`.
    """
    for weights in weights_by_book.values():
        _check_weights(weights)
    first = next(iter(weights_by_book.values()))
    opens = _align_prices(bars_open, first, "open")
    closes = _align_prices(bars_close, first, "close")
    terms = _Terms(
        prices=opens if execution.price == "open" else closes,
        closes=closes,
        traded=None if traded is None else _align_traded(traded, first),
        costs=costs,
    )
    due = [schedule_orders(weights, execution.delay) for weights in weights_by_book.values()]
    filled = [defer_orders(orders, terms.traded) for orders in due]
    fills = fill_books(filled, terms.prices, [costs] * len(due))
    return {
        book: _keep_books(orders, each, terms)
        for book, orders, each in zip(weights_by_book, due, fills, strict=True)
    }


@dataclass(frozen=True)
class _Terms:
    """What the books of one simulation have in common: bars and costs."""

    prices: WideFrame
    closes: WideFrame
    traded: WideFrame | None
    costs: TradingCosts


def _keep_books(orders: WideFrame, fills: Fills, terms: _Terms) -> SimulationResult:
    """The result of one book's orders, as they were due, and of its fills."""
    prices, closes, traded = terms.prices, terms.closes, terms.traded
    account = _mark_to_market(fills, prices.to_numpy(), closes.to_numpy())
    growth, alive = _growth_factors(
        account,
        _year_fractions(closes.index),
        terms.costs.rates.aligned("borrow_per_year", closes),
    )
    held = np.where(alive[:, None], account.held_weights, 0.0)
    # What happens at the row of the ruin is before its close, so it is kept.
    trades_at = np.concatenate([[True], alive[:-1]])
    rows = int(trades_at.sum())
    return SimulationResult(
        returns=pd.Series(growth - 1.0, index=closes.index, name="returns"),
        held_weights=pd.DataFrame(held, index=closes.index, columns=closes.columns),
        trades=_make_trades_table(fills, prices, account.equity_at_fill)[
            trades_at[fills.row]
        ].reset_index(drop=True),
        waits=find_waits(orders.iloc[:rows], None if traded is None else traded.iloc[:rows]),
    )


def simulate_variations(
    variations: Iterable[tuple[WideFrame, TradingCosts]],
    bars_open: WideFrame,
    bars_close: WideFrame,
    *,
    price: Literal["open", "close"],
) -> Iterator[Vector]:
    """Net returns of variations of one book, equal to those of `simulate` to the last digit.

    Args:
        variations: Order schedules, as by `schedule_orders`, each with its costs.
        bars_open: Wide, the rows and symbols of the schedules; positive, no NaN.
        bars_close: As `bars_open`.
        price: Price of a fill's bar.

    Yields:
        Shape (n,), in the order of the variations; they are filled in batches limited by memory.
    """
    prices = bars_open if price == "open" else bars_close
    closes, years = bars_close.to_numpy(), _year_fractions(bars_close.index)
    batch_size = max(1, _MAX_BATCH_CELLS // closes.size)
    remaining = iter(variations)
    while batch := list(islice(remaining, batch_size)):
        due, costs = zip(*batch, strict=True)
        for fills, each in zip(fill_books(due, prices, costs), costs, strict=True):
            account = _mark_to_market(fills, prices.to_numpy(), closes)
            borrow = each.rates.aligned("borrow_per_year", bars_close)
            yield _growth_factors(account, years, borrow)[0] - 1.0


@dataclass(frozen=True)
class _AccountValues:
    """Marked values before borrow cost: equity (n,), equity_at_fill (n,), held_weights (n, k)."""

    equity: Vector
    equity_at_fill: Vector
    held_weights: Matrix


def _mark_to_market(fills: Fills, prices: Matrix, closes: Matrix) -> _AccountValues:
    units = fills.units_by_bar(closes.shape)
    cash = 1.0 + np.cumsum(fills.cash_flow_by_bar(len(closes)))
    equity = cash + (units * closes).sum(axis=1)
    before = np.vstack([np.zeros((1, closes.shape[1])), units[:-1]])
    at_fill = np.concatenate([[1.0], cash[:-1]]) + (before * prices).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        held = units * closes / equity[:, None]
    return _AccountValues(equity, at_fill, held)


def _growth_factors(
    account: _AccountValues, years: Vector, borrow_rates: Matrix
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Net growth factor of each bar, and whether the book is alive at each close.

    `borrow_rates` has the shape (1, k), or (n, k) where they vary.
    """
    alive = np.logical_and.accumulate(account.equity > 0)
    held = np.where(alive[:, None], account.held_weights, 0.0)
    kept = 1.0 - _borrow_charges(np.minimum(held, 0.0), years, borrow_rates)
    alive &= np.logical_and.accumulate(kept > 0)
    was_alive = np.concatenate([[True], alive[:-1]])
    before = np.concatenate([[1.0], account.equity[:-1]])
    growth = np.ones_like(years)
    np.divide(account.equity * kept, before, out=growth, where=was_alive)
    growth[was_alive & ~alive] = 0.0
    return growth, alive


def _borrow_charges(shorts: Matrix, years: Vector, rates: Matrix) -> Vector:
    """What the shorts at the close before pay at each bar, as a fraction of the equity."""
    if len(rates) == 1:  # one rate for all: the sum of the shorts first
        short = np.concatenate([[0.0], -shorts.sum(axis=1)[:-1]])
        single: Vector = rates[0, 0] * years * short
        return single
    charged = np.concatenate([[0.0], -(shorts * rates).sum(axis=1)[:-1]])
    varying: Vector = charged * years
    return varying


def _year_fractions(index: pd.Index) -> Vector:
    """Calendar years since the previous bar; 0 on the first."""
    stamps = index.to_numpy(dtype="datetime64[us]")
    days = np.diff(stamps, prepend=stamps[:1]) / np.timedelta64(1, "D")
    return np.asarray(days / DAYS_PER_YEAR, dtype=np.float64)


def _make_trades_table(fills: Fills, prices: WideFrame, equity_at_fill: Vector) -> pd.DataFrame:
    reference = prices.to_numpy()[fills.row, fills.column]
    size = np.abs(fills.size)
    return pd.DataFrame(
        {
            "timestamp": prices.index[fills.row],
            "symbol": prices.columns[fills.column].astype("str"),
            "side": pd.array(np.where(fills.size > 0, "buy", "sell"), dtype="str"),
            "size": size,
            "price": fills.price,
            "fee": fills.fee,
            "slippage_cost": np.abs(fills.price - reference) * size,
            "equity": equity_at_fill[fills.row],
        }
    )


def _check_weights(weights: WideFrame) -> None:
    # vectorbt reads NaN as "no order": a failed model would look like one that holds.
    bad = ~np.isfinite(weights.to_numpy(dtype=np.float64))
    if bad.any():
        row, symbol = np.argwhere(bad)[0]
        raise UsageError(
            f"{int(bad.sum())} weights are not finite",
            expected="a finite target weight at every close",
            found=str(weights.iat[row, symbol]),
            where=f"{weights.columns[symbol]} at {weights.index[row]}",
        )


def _align_traded(traded: WideFrame, weights: WideFrame) -> WideFrame | None:
    """The rows and symbols of `weights`; None where something trades at all of them."""
    missing = [symbol for symbol in weights.columns if symbol not in traded.columns]
    if missing or not traded.index.equals(weights.index):
        raise UsageError(
            "the weights and the bars that traded do not match",
            expected="the same timestamps, and a column for each symbol of the weights",
            found=f"nothing about {missing}" if missing else "other timestamps",
            fix="select the bars of the rows that the weights are decided on",
        )
    chosen = traded[list(weights.columns)].astype(bool)
    return None if chosen.to_numpy().all() else chosen


def _align_prices(bars: WideFrame, weights: WideFrame, column: str) -> WideFrame:
    """The prices of the symbols in `weights`, checked."""
    missing = [symbol for symbol in weights.columns if symbol not in bars.columns]
    if missing or not bars.index.equals(weights.index):
        raise UsageError(
            f"the weights and the {column} prices do not match",
            expected="the same timestamps, and a price column for each symbol of the weights",
            found=f"no prices of {missing}" if missing else "other timestamps",
            fix="select the bars of the rows that the weights are decided on",
        )
    prices = bars[list(weights.columns)].astype(np.float64)
    bad = ~(np.isfinite(prices.to_numpy()) & (prices.to_numpy() > 0))
    if bad.any():
        row, symbol = np.argwhere(bad)[0]
        raise InvalidBarsError(
            f"{int(bad.sum())} {column} prices cannot be traded at",
            expected="positive, finite prices",
            found=str(prices.iat[row, symbol]),
            where=f"{prices.columns[symbol]} at {prices.index[row]}",
            fix="run `backtest data check` on the dataset",
        )
    return prices

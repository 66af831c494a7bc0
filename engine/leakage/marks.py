"""Checks that a book is worth its cash and its units at the close of every bar.

A book that is marked at another bar's price, a return that is booked at another bar, and a fee
that is left out depend on no bar after a cutoff where none is chosen for it: no replaced bar shows
them. So each book is kept a second time, from its fills alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.calendar_time import year_fractions
from engine.core.errors import LookaheadError
from engine.leakage.comparison import format_bar
from engine.leakage.fill_records import find_columns, find_rows, find_signs
from engine.simulation.accounting import RUIN_FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector, WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy

MARK_TOLERANCE = 1e-9
"""Largest difference of an amount, as a share of 1, the cash and all positions at that close; of a
return, that amount over the equity. Sums in another order differ by about 1e-16 a fill."""


def check_marks(
    spec: Strategy, prepared: PreparedData, books: Mapping[str, SimulationResult]
) -> None:
    """Refuses a book whose value is not its cash and units x close at every bar.

    At each bar: fees are what the costs charge for size and value of the fill; borrow cost and
    interest are those of the positions and of the cash at the close before; equity is 1 + all cash
    flows + the units held x close; a return is the equity over that of the bar before, -100 %
    where the book is ruined and 0 afterwards; holdings are shares of the equity; the equity that a
    fill is given is that at the prices of the bar's fills; a margin call is where the equity is
    too small.

    Raises:
        LookaheadError: The first figure that is another one.
    """
    terms = _MarketTerms.of_run(spec, prepared)
    for book, result in books.items():
        ledger = _Ledger.from_fills(result, terms)
        for figure in _list_figures(result, terms, ledger):
            wrong = ~(np.abs(figure.found - figure.due) <= figure.tolerance)
            if wrong.any():
                raise _make_error(book, figure, int(np.argmax(wrong)))


@dataclass(frozen=True, eq=False)
class _MarketTerms:
    """Prices and rates on the out-of-sample bars: (n, k), borrow rates (1, k) or (n, k)."""

    bars: pd.DatetimeIndex
    fill_prices: WideFrame
    closes: Matrix
    rates: CostRates
    borrow: Matrix
    cash: Vector
    maintenance_margin: float
    funding_before: Matrix
    funding_after: Matrix
    paid_out: BoolMatrix

    @classmethod
    def of_run(cls, spec: Strategy, prepared: PreparedData) -> _MarketTerms:
        bars = prepared.span
        opens, closes = (prepared.wide(column) for column in ("open", "close"))
        rates = spec.bind_costs(prepared.market).rates
        cash = np.asarray(prepared.rates_by_bar.cash, dtype=np.float64)
        before, after = rates.aligned_funding(closes, spec.execution.price)
        return cls(
            bars=bars,
            fill_prices=opens if spec.execution.price == "open" else closes,
            closes=closes.to_numpy(),
            rates=rates,
            borrow=rates.aligned("borrow_per_year", closes),
            cash=np.broadcast_to(cash, (len(bars),)),
            maintenance_margin=spec.execution.maintenance_margin or 0.0,
            funding_before=before,
            funding_after=after,
            paid_out=np.zeros(closes.shape, dtype=np.bool_)
            if prepared.settlements is None
            else prepared.settlements.to_numpy(),
        )


@dataclass(frozen=True, eq=False)
class _Ledger:
    """A book kept from its fills: by fill (m,), by bar (n,) or (n, k)."""

    rows: IntVector
    columns: IntVector
    traded_value: Vector
    fees_due: Vector
    units: Matrix
    cash: Vector
    equity: Vector
    equity_at_fill: Vector
    borrow: Vector
    interest: Vector
    funding: Vector
    loan_interest: Vector
    scale: Vector
    ruined: BoolVector

    @classmethod
    def from_fills(cls, result: SimulationResult, terms: _MarketTerms) -> _Ledger:
        """Cumulated sums over the fills and the financing; financing is from the bar before."""
        trades, prices = result.trades, terms.fill_prices
        rows, columns = find_rows(trades, terms.bars), find_columns(trades, prices.columns)
        size, price = trades["size"].to_numpy(), trades["price"].to_numpy()
        signed, value = find_signs(trades) * size, size * price
        fees = terms.rates.fees_of(prices, rows, columns, size, value)
        fees = np.where(terms.paid_out[rows, columns], 0.0, fees)
        moved = np.zeros(terms.closes.shape)
        np.add.at(moved, (rows, columns), signed)
        units = np.cumsum(moved, axis=0)
        flow = np.zeros(len(units))
        np.add.at(flow, rows, -signed * price - fees)
        held = units * terms.closes
        years = year_fractions(terms.bars)
        shorts = (np.maximum(-held, 0.0) * terms.borrow).sum(axis=1)
        borrow = np.concatenate([[0.0], shorts[:-1] * years[1:]])
        longs = np.maximum(held, 0.0).sum(axis=1)
        before = np.vstack([np.zeros((1, units.shape[1])), units[:-1]])
        marks = np.vstack([terms.closes[:1], terms.closes[:-1]])
        early, late = (
            (moved * marks * rates).sum(axis=1)
            for moved, rates in ((before, terms.funding_before), (units, terms.funding_after))
        )
        late[0] = 0.0  # nothing is known before the first close
        loan = terms.rates.loan_per_year or 0.0
        cash, interest, loan_interest = _add_interest(
            flow - borrow - early - late, held.sum(axis=1) - longs, (terms.cash, loan), years
        )
        equity = cash + held.sum(axis=1)
        at_open = np.concatenate([[1.0], cash[:-1]]) + interest - borrow - early - loan_interest
        equity_at_fill = at_open + (before * prices.to_numpy()).sum(axis=1)
        after = cash + (units * prices.to_numpy()).sum(axis=1)
        lowest = np.minimum(np.minimum(equity_at_fill, after), equity)
        return cls(
            rows=rows,
            columns=columns,
            traded_value=value,
            fees_due=fees,
            units=units,
            cash=cash,
            equity=equity,
            equity_at_fill=equity_at_fill,
            borrow=borrow,
            interest=interest,
            funding=early + late,
            loan_interest=loan_interest,
            scale=1.0 + np.abs(cash) + np.abs(held).sum(axis=1),
            ruined=np.logical_or.accumulate(lowest < RUIN_FLOOR),
        )


def _add_interest(
    flow: Vector, shorts: Vector, rates: tuple[Vector, float], years: Vector
) -> tuple[Vector, Vector, Vector]:
    """The cash after each bar, the interest that it received, and that it paid, each (n,).

    Interest is earned on what the equity is above the long positions, the cash less what short
    sales brought in, which with interest earned depends on itself: bar by bar.

    Args:
        flow: Cash that each bar's fills, borrow cost and funding bring in.
        shorts: Value of short positions at each close, 0 or negative.
        rates: Yields known at each close, and the rate of borrowed cash.
        years: Since the close before.
    """
    (cash_rates, loan), interest, paid = rates, np.zeros(len(flow)), np.zeros(len(flow))
    if not cash_rates.any() and not loan:
        return 1.0 + np.cumsum(flow), interest, paid
    cash = np.zeros(len(flow))
    cash[0] = 1.0 + flow[0]
    for t in range(1, len(flow)):
        free = max(0.0, cash[t - 1] + shorts[t - 1])
        interest[t] = free * cash_rates[t - 1] * years[t]
        paid[t] = max(0.0, -cash[t - 1]) * loan * years[t]
        cash[t] = cash[t - 1] + flow[t] + interest[t] - paid[t]
    return cash, interest, paid


@dataclass(frozen=True, eq=False)
class _Figure:
    """What one column of a result has to be; by bar or by fill."""

    name: str
    bars: pd.DatetimeIndex
    due: Vector
    found: Vector
    tolerance: Vector


def _list_figures(
    result: SimulationResult, terms: _MarketTerms, ledger: _Ledger
) -> Iterator[_Figure]:
    """Every figure of a book, those first that later ones are made of."""
    trades, bars = result.trades, terms.bars
    fills = bars[ledger.rows]
    value = MARK_TOLERANCE * ledger.traded_value
    yield _Figure("fee", fills, ledger.fees_due, trades["fee"].to_numpy(), value)
    reference = terms.fill_prices.to_numpy()[ledger.rows, ledger.columns]
    slipped = np.abs(trades["price"].to_numpy() - reference) * trades["size"].to_numpy()
    yield _Figure("slippage cost", fills, slipped, trades["slippage_cost"].to_numpy(), value)
    at_fill = ledger.equity_at_fill[ledger.rows]
    scale = MARK_TOLERANCE * ledger.scale
    yield _Figure(
        "equity before the fill", fills, at_fill, trades["equity"].to_numpy(), scale[ledger.rows]
    )
    ended = np.concatenate([[False], ledger.ruined[:-1]])
    for name in ("borrow", "interest", "funding", "loan_interest"):
        alive = np.where(ended, 0.0, getattr(ledger, name))
        found = result.financing[name].to_numpy()
        yield _Figure(name, bars, alive, found, scale)
    before = np.concatenate([[1.0], ledger.equity[:-1]])
    lived = ~ledger.ruined
    returns = np.where(ended, 0.0, -1.0)
    np.divide(ledger.equity, before, out=returns, where=lived)
    returns[lived] -= 1.0
    least = np.where(lived, np.minimum(before, ledger.equity), np.inf)
    share: Vector = scale / least
    found = np.asarray(result.returns, dtype=np.float64)
    yield _Figure("return", bars, returns, found, share)
    equity = np.where(lived, ledger.equity, 1.0)[:, None]
    held = np.where(lived[:, None], ledger.units * terms.closes / equity, 0.0)
    for place, symbol in enumerate(terms.fill_prices.columns):
        found = result.held_weights[symbol].to_numpy()
        yield _Figure(f"holding of {symbol}", bars, held[:, place], found, share)
    yield from _list_margin_calls(result, terms, ledger)


def _list_margin_calls(
    result: SimulationResult, terms: _MarketTerms, ledger: _Ledger
) -> Iterator[_Figure]:
    gross = np.abs(ledger.units * terms.closes).sum(axis=1)
    surplus = ledger.equity - terms.maintenance_margin * gross
    scale = MARK_TOLERANCE * ledger.scale
    called = (gross > scale) & (surplus < 0.0) & ~ledger.ruined
    near = np.abs(surplus) <= scale
    found = terms.bars.isin(result.margin_calls)
    yield _Figure(
        "margin call",
        terms.bars,
        *(np.array(each, dtype=np.float64) for each in (called, found, near)),
    )


def _make_error(book: str, figure: _Figure, place: int) -> LookaheadError:
    bar = format_bar(figure.bars[place])
    return LookaheadError(
        f"The books of {book} do not add up: its {figure.name} at {bar} is not that of its fills",
        expected=f"{figure.due[place]:.10g}, from its cash and its units at that bar's prices",
        found=f"{figure.found[place]:.10g}",
        where=f"fills: {book} {figure.name} at {bar}",
        fix="mark a book at the close of the bar itself, and let every fill pay its fee",
    )

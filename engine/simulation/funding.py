"""What perpetuals pay each other at the bars of a market, from their funding rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, UsageError
from engine.core.types import Spec
from engine.data.calendar import ALWAYS_OPEN
from engine.data.intervals import bar_ends
from engine.data.sessions import index_to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import BoolVector, IntVector, Vector, WideFrame
    from engine.data.funding_rates import FundingRates
    from engine.data.market import Market


class FundingCharge(Spec):
    """Funding of perpetuals, from the source of the dataset that has `funding: true`.

    Attributes:
        missing: Bars with a payment whose rate is not known pay 0 and are counted (`zero`), or a
            run that trades at one is refused (`refuse`).
    """

    missing: Literal["zero", "refuse"] = "zero"


def align_funding(
    opens: IntVector, closes: IntVector, instants: IntVector, rates: Vector
) -> tuple[Vector, Vector]:
    """The funding rates of one symbol on its bars, summed in the order of time.

    A payment belongs to the first bar that closes at it or later: a bar has those after the close
    before it and up to its own close, whatever bars and payments follow.

    Args:
        opens: Of n bars, microseconds since 1970.
        closes: Of the same bars.
        instants: When m payments were due, ascending.
        rates: Of the payments.

    Returns:
        Shapes (n,): the sums of those up to a bar's open, and of those after it. The first bar
        has none up to its open.
    """
    bar = np.searchsorted(closes, instants, side="left")
    known = bar < len(closes)
    bar, instants, rates = bar[known], instants[known], rates[known]
    early = instants <= opens[bar]
    held = early & (bar > 0)
    to_open = np.bincount(bar[held], weights=rates[held], minlength=len(closes))
    to_close = np.bincount(bar[~early], weights=rates[~early], minlength=len(closes))
    return to_open.astype(np.float64), to_close.astype(np.float64)


def compute_funding(market: Market) -> tuple[WideFrame, WideFrame]:
    """`CostRates.funding_to_open` and `funding_to_close` of every symbol; 0 where not known."""
    rates, stamps = _rates_of(market), market.wide("close").index
    opens, closes = _spans(market)
    parts = {
        symbol: align_funding(opens, closes, rates.of(symbol).instants, rates.of(symbol).rates)
        for symbol in market.symbols
    }
    to_open = pd.DataFrame({symbol: both[0] for symbol, both in parts.items()}, index=stamps)
    to_close = pd.DataFrame({symbol: both[1] for symbol, both in parts.items()}, index=stamps)
    return to_open, to_close


def find_unfunded_bars(market: Market, symbol: str) -> BoolVector:
    """Bars with a payment whose rate is not known, shape (n,), see `SymbolFunding.gaps`."""
    opens, closes = _spans(market)
    begins, ends = _rates_of(market).of(symbol).gaps()
    # A bar is free of gaps where as many have ended by its open as have begun by its close.
    begun = np.searchsorted(begins, closes, side="right")
    ended = np.searchsorted(ends, opens, side="right")
    return np.asarray(begun > ended)


def check_funding(market: Market) -> None:
    """Refuses a market on which funding cannot be charged.

    Raises:
        UsageError: It was loaded without funding rates, or has some and a calendar with closes.
    """
    # The offline dataset, which stands in for another, may close, and has no rates at all.
    if _rates_of(market).by_symbol and market.calendar != ALWAYS_OPEN:
        raise UsageError(
            "perpetuals pay funding around the clock, and the dataset's market closes",
            expected=f"a dataset with `calendar: {ALWAYS_OPEN}`",
            found=market.calendar,
            where="costs.funding",
            fix="leave costs.funding out, or take the bars of the perpetual's exchange",
        )


def refuse_unfunded(market: Market, symbols: Iterable[str], span: pd.DatetimeIndex) -> None:
    """Refuses bars with a payment whose rate is not known.

    Args:
        market: All bars.
        symbols: Those that are traded.
        span: The bars at which they are.

    Raises:
        InvalidBarsError: There is one.
    """
    unknown = {symbol: unfunded_bars(market, symbol, span) for symbol in symbols}
    found = [
        f"{symbol} at {len(bars)} of {len(span)} bars, the first {bars[0]}"
        for symbol, bars in unknown.items()
        if len(bars)
    ]
    if found:
        raise InvalidBarsError(
            "funding rates are missing",
            expected="a rate of every payment while the strategy trades",
            found="; ".join(found),
            where="costs.funding",
            fix="begin the dataset later, or set costs.funding.missing to zero, which charges "
            "nothing there and counts the bars",
        )


def unfunded_bars(market: Market, symbol: str, span: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The bars of a span with a payment whose rate is not known."""
    stamps = market.wide("close").index
    unknown = pd.DatetimeIndex(stamps[find_unfunded_bars(market, symbol)])
    return unknown[unknown.isin(span)]


def _rates_of(market: Market) -> FundingRates:
    if market.funding is None:
        raise UsageError(
            "the costs charge funding, and the market has no funding rates",
            expected="a market that was loaded for these costs",
            found="one without funding rates",
            where="costs.funding",
            fix="load it with engine.load_market(strategy), or leave costs.funding out",
        )
    return market.funding


def _spans(market: Market) -> tuple[IntVector, IntVector]:
    """Opens and closes of the bars, microseconds since 1970."""
    opens = index_to_microseconds(pd.DatetimeIndex(market.wide("close").index))
    return opens, bar_ends(opens, market.interval)

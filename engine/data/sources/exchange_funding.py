"""Funding rates of perpetual contracts, as an exchange has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.sources.exchange_pages import Candles, instant, milliseconds, since_1970
from engine.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.exchange_client import ExchangeClient
    from engine.data.sources.feed import Request

# BitMEX opened the first perpetual contract in May 2016.
_BEGINNING = pd.Timestamp("2016-05-01", tz="UTC")

_PAGE = 100
"""What the stingiest exchange gives at once. More must not be asked for: some answer with the
newest hundred of a longer span and leave the others out."""

_SHORTEST = milliseconds(pd.Timedelta(hours=1))
"""Time between two payments where it is shortest; 8 hours are usual."""

_LATE = pd.Timedelta(days=7)


def fetch_funding(client: ExchangeClient, ticker: str, request: Request) -> pd.DataFrame:
    """Every funding payment of a perpetual contract from `since` to now.

    Returns:
        Columns timestamp (aware, when the payment was due) and rate (fraction of a position's
        value that longs pay to shorts; below 0 shorts pay), in order of time.

    Raises:
        UnreachableError: No answer, throttled, or a server error, and again after each pause.
        SourceError: The exchange has no funding rates, or not of this market.
    """
    market = client.market(ticker, request)
    _require_perpetual(client, market, ticker, request)
    asked = request.since or _BEGINNING
    now = min(request.now, client.time(request.now))
    since, until = since_1970(asked), since_1970(now)
    longer = Candles(client, market, request.interval).longer()
    begun = None
    if longer and until - since > _PAGE * _SHORTEST:
        begun = longer.first_traded(since, until)
        since = max(since, begun - longer.step) if begun is not None else since
    rows: list[tuple[int, float]] = []
    for page, reached in _pages(client, ticker, since, until):
        rows += page
        done = (min(reached, until) - since) // _SHORTEST
        what = f"funding of {ticker} {client.label}"
        request.progress.advance(done, (until - since) // _SHORTEST, what)
    table = pd.DataFrame(rows, columns=["timestamp", "rate"]).astype({"rate": "float64"})
    stamps = pd.to_datetime(table["timestamp"].astype("int64"), unit="ms", utc=True)
    table = table.assign(timestamp=stamps)
    if begun is not None:
        _tell_reach(
            table, instant(begun + longer.step if longer else begun), client, ticker, request
        )
    return table


def _pages(
    client: ExchangeClient, ticker: str, since: int, until: int
) -> Iterator[tuple[list[tuple[int, float]], int]]:
    """Pages of (milliseconds since 1970, rate), ascending; an empty one is asked for twice."""

    def page() -> list[tuple[int, float]]:
        found = client.exchange.fetch_funding_rate_history(ticker, since, _PAGE)
        rows = {(int(row["timestamp"]), float(row["fundingRate"])) for row in found}
        return sorted(row for row in rows if since <= row[0] <= until)

    while since <= until:
        rows = client.ask(page) or client.ask(page)
        since = rows[-1][0] + 1 if rows else since + _PAGE * _SHORTEST
        yield rows, since


def _require_perpetual(
    client: ExchangeClient, market: dict[str, object], ticker: str, request: Request
) -> None:
    place = f"{request.symbol}: {ticker} of {client.label}"
    if not market.get("swap"):
        raise SourceError(
            f"{ticker} is no perpetual contract, which alone have funding rates",
            expected="a perpetual, such as BTC/USDT:USDT in ccxt's notation",
            found=f"a {market.get('type')} market",
            where=place,
            fix=f"map {request.symbol} to the perpetual under `symbols` of the source, or leave "
            "`funding` out",
        )
    if not client.exchange.has.get("fetchFundingRateHistory"):
        raise SourceError(
            "ccxt has no history of this exchange's funding rates",
            where=place,
            fix="leave `funding` out, or use another exchange",
        )


def _tell_reach(
    table: pd.DataFrame,
    traded: pd.Timestamp,
    client: ExchangeClient,
    ticker: str,
    request: Request,
) -> None:
    if table.empty or table["timestamp"].iloc[0] > traded + _LATE:
        reach = (
            "none are" if table.empty else f"none before {table['timestamp'].iloc[0]:%Y-%m-%d} is"
        )
        request.progress.notice(
            f"{ticker} of {client.label}: {reach} handed out of its funding rates, though it was "
            f"traded by {traded:%Y-%m-%d}"
        )

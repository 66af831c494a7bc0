"""Funding rates of perpetual contracts, as an exchange has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.sources.exchange._pages import (
    CandlePager,
    from_epoch_ms,
    to_epoch_ms,
    to_milliseconds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.base import BarRequest
    from engine.data.sources.exchange._client import ExchangeClient

# BitMEX opened the first perpetual contract in May 2016.
_EARLIEST_START = pd.Timestamp("2016-05-01", tz="UTC")

_PAGE_SIZE = 100
"""What the stingiest exchange gives at once. More must not be asked for: some answer with the
newest hundred of a longer span and leave the others out."""

_MIN_PAYMENT_INTERVAL_MS = to_milliseconds(pd.Timedelta(hours=1))
"""Time between two payments where it is shortest; 8 hours are usual."""

_MAX_START_DELAY = pd.Timedelta(days=7)


def fetch_funding_rates(client: ExchangeClient, ticker: str, request: BarRequest) -> pd.DataFrame:
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
    asked = request.since or _EARLIEST_START
    now = min(request.now, client.exchange_time(request.now))
    since, until = to_epoch_ms(asked), to_epoch_ms(now)
    longer = CandlePager(client, market, request.interval).coarsest()
    begun = None
    if longer and until - since > _PAGE_SIZE * _MIN_PAYMENT_INTERVAL_MS:
        begun = longer.find_first_trade(since, until)
        since = max(since, begun - longer.step_ms) if begun is not None else since
    rows: list[tuple[int, float]] = []
    for page, reached in _iter_pages(client, ticker, since, until):
        rows += page
        done = (min(reached, until) - since) // _MIN_PAYMENT_INTERVAL_MS
        what = f"funding of {ticker} {client.label}"
        request.progress.advance(done, (until - since) // _MIN_PAYMENT_INTERVAL_MS, what)
    table = pd.DataFrame(rows, columns=["timestamp", "rate"]).astype({"rate": "float64"})
    stamps = pd.to_datetime(table["timestamp"].astype("int64"), unit="ms", utc=True)
    table = table.assign(timestamp=stamps)
    if begun is not None:
        _report_reach(
            table,
            from_epoch_ms(begun + longer.step_ms if longer else begun),
            client,
            ticker,
            request,
        )
    return table


def _iter_pages(
    client: ExchangeClient, ticker: str, since: int, until: int
) -> Iterator[tuple[list[tuple[int, float]], int]]:
    """Pages of (milliseconds since 1970, rate), ascending; an empty one is asked for twice."""

    def page() -> list[tuple[int, float]]:
        found = client.exchange.fetch_funding_rate_history(ticker, since, _PAGE_SIZE)
        rows = {(int(row["timestamp"]), float(row["fundingRate"])) for row in found}
        return sorted(row for row in rows if since <= row[0] <= until)

    while since <= until:
        rows = client.execute(page) or client.execute(page)
        since = rows[-1][0] + 1 if rows else since + _PAGE_SIZE * _MIN_PAYMENT_INTERVAL_MS
        yield rows, since


def _require_perpetual(
    client: ExchangeClient, market: dict[str, object], ticker: str, request: BarRequest
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


def _report_reach(
    table: pd.DataFrame,
    first_trade: pd.Timestamp,
    client: ExchangeClient,
    ticker: str,
    request: BarRequest,
) -> None:
    if table.empty or table["timestamp"].iloc[0] > first_trade + _MAX_START_DELAY:
        reach = (
            "none are" if table.empty else f"none before {table['timestamp'].iloc[0]:%Y-%m-%d} is"
        )
        request.progress.notice(
            f"{ticker} of {client.label}: {reach} handed out of its funding rates, though it was "
            f"traded by {first_trade:%Y-%m-%d}"
        )

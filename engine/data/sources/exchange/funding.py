"""Fetches the funding rates of perpetual contracts from an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.sources.exchange._candle_requests import (
    from_epoch_ms,
    to_epoch_ms,
    to_milliseconds,
)
from engine.data.sources.exchange._pages import CandlePager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.base import BarRequest
    from engine.data.sources.exchange._client import ExchangeClient

# BitMEX opened the first perpetual contract in May 2016.
_EARLIEST_START = pd.Timestamp("2016-05-01", tz="UTC")

_PAGE_SIZE = 100
"""Smallest page size of any exchange. A larger one must not be requested: some exchanges then
return the newest hundred of a longer span and omit the others."""

_MIN_PAYMENT_INTERVAL_MS = to_milliseconds(pd.Timedelta(hours=1))
"""Shortest time between two payments; 8 hours are usual."""

_SURE_STRIDE_MS = _PAGE_SIZE * _MIN_PAYMENT_INTERVAL_MS
"""Span of a full page of the shortest time between two payments: every page covers as much."""

_LONGEST_PAYMENT_INTERVAL_MS = to_milliseconds(pd.Timedelta(days=1))
"""Longest time between two payments."""

_MAX_START_DELAY = pd.Timedelta(days=7)


_Rate = tuple[int, float]


def fetch_funding_rates(client: ExchangeClient, ticker: str, request: BarRequest) -> pd.DataFrame:
    """Fetches every funding payment of a perpetual contract from `since` to now.

    Returns:
        Columns timestamp (aware, when the payment was due) and rate (fraction of a position's
        value that longs pay to shorts; negative where shorts pay), in order of time.

    Raises:
        UnreachableError: No answer, throttled, or a server error, also after every retry.
        SourceError: The exchange has no funding rates, or none of this market.
    """
    market = client.market(ticker, request)
    _require_perpetual(client, market, ticker, request)
    now = min(request.now, client.exchange_time(request.now))
    since, until = to_epoch_ms(request.since or _EARLIEST_START), to_epoch_ms(now)
    coarser = CandlePager(client, market, request.interval).coarsest()
    first_trade = None
    if coarser and until - since > _PAGE_SIZE * _MIN_PAYMENT_INTERVAL_MS:
        first, first_trade = coarser.find_first(since, until)
        since = max(since, first) if first is not None else since
    rows: list[tuple[int, float]] = []
    for page, reached in _iter_pages(client, ticker, since, until):
        rows += page
        done = (min(reached, until) - since) // _MIN_PAYMENT_INTERVAL_MS
        what = f"funding of {ticker} {client.label}"
        request.progress.advance(done, (until - since) // _MIN_PAYMENT_INTERVAL_MS, what)
    table = pd.DataFrame(rows, columns=["timestamp", "rate"]).astype({"rate": "float64"})
    stamps = pd.to_datetime(table["timestamp"].astype("int64"), unit="ms", utc=True)
    table = table.assign(timestamp=stamps)
    if first_trade is not None:
        traded_by = from_epoch_ms(first_trade + coarser.step_ms if coarser else first_trade)
        _report_history_limit(table, traded_by, client, ticker, request)
    return table


def _iter_pages(
    client: ExchangeClient, ticker: str, since: int, until: int
) -> Iterator[tuple[list[_Rate], int]]:
    """Pages of (milliseconds since 1970, rate), ascending; an empty page is requested twice.

    Payments do not pause. So the requests move on ever faster while pages are empty, and once
    rates come, the first of them is looked for in halves.
    """
    requests = _RateRequests(client, ticker, until)
    empty_since: int | None = None
    stride = _SURE_STRIDE_MS
    while since <= until:
        rows = requests.fetch(since)
        if not rows:
            empty_since = since
            # Half of what is left, at most, so that a history of a few weeks is not passed over.
            since += max(_SURE_STRIDE_MS, min(stride, (until - since) // 2))
            stride *= 2
            yield [], since
            continue
        if empty_since is not None:
            rows = requests.search_back(empty_since, since, rows)
            empty_since = None
        rows = requests.complete_start(since, rows)
        stride = _SURE_STRIDE_MS
        since = rows[-1][0] + 1
        yield rows, since


class _RateRequests:
    """Requests for the payments of one contract.

    `size` is lowered where the exchange leaves out the oldest of a page.
    """

    def __init__(self, client: ExchangeClient, ticker: str, until: int) -> None:
        self.client = client
        self.ticker = ticker
        self.until = until
        self.size = _PAGE_SIZE

    def fetch(self, since: int, size: int | None = None) -> list[_Rate]:
        """Payments from `since` on, ascending; an empty answer is asked for again."""

        def page() -> list[_Rate]:
            history = self.client.exchange.fetch_funding_rate_history(
                self.ticker, since, size or self.size
            )
            rows = {(int(row["timestamp"]), float(row["fundingRate"])) for row in history}
            return sorted(row for row in rows if since <= row[0] <= self.until)

        return self.client.execute(page) or self.client.execute(page)

    def search_back(self, low: int, high: int, rows: list[_Rate]) -> list[_Rate]:
        """The page of the first payment after the empty one at `low`."""
        while (
            high - low > _MIN_PAYMENT_INTERVAL_MS
            and rows[0][0] < high + _LONGEST_PAYMENT_INTERVAL_MS
        ):
            middle = (low + high) // 2
            earlier = self.fetch(middle)
            if earlier and earlier[0][0] < rows[0][0]:
                rows, high = earlier, middle
            else:
                low = middle
        return rows

    def complete_start(self, since: int, rows: list[_Rate]) -> list[_Rate]:
        """The page from `since` on where an exchange sends the newest of a longer span."""
        size = len(rows) // 2
        while size and rows[0][0] - since > _LONGEST_PAYMENT_INTERVAL_MS:
            earlier = self.fetch(since, size)
            if not earlier or earlier[0][0] >= rows[0][0]:
                break
            self.size, rows = size, earlier
            size //= 2
        return rows


def _require_perpetual(
    client: ExchangeClient, market: dict[str, object], ticker: str, request: BarRequest
) -> None:
    where = f"{request.symbol}: {ticker} of {client.label}"
    if not market.get("swap"):
        raise SourceError(
            f"{ticker} is not a perpetual contract; only those have funding rates",
            expected="a perpetual, such as BTC/USDT:USDT in ccxt's notation",
            found=f"a {market.get('type')} market",
            where=where,
            fix=f"map {request.symbol} to the perpetual under `symbols` of the source, or leave "
            "`funding` out",
        )
    if not client.exchange.has.get("fetchFundingRateHistory"):
        raise SourceError(
            "ccxt has no history of this exchange's funding rates",
            where=where,
            fix="leave `funding` out, or use another exchange",
        )


def _report_history_limit(
    table: pd.DataFrame,
    traded_by: pd.Timestamp,
    client: ExchangeClient,
    ticker: str,
    request: BarRequest,
) -> None:
    if table.empty or table["timestamp"].iloc[0] > traded_by + _MAX_START_DELAY:
        span = "" if table.empty else f" before {table['timestamp'].iloc[0]:%Y-%m-%d}"
        request.progress.notice(
            f"{ticker} of {client.label}: the exchange has no funding rates{span}, though it was "
            f"traded by {traded_by:%Y-%m-%d}"
        )

"""Any exchange that ccxt knows, public candles only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from typing_extensions import override

from engine.data.bar_times import TradingTimes
from engine.data.intervals import add_interval
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.exchange._candle_requests import (
    CandleRow,
    from_epoch_ms,
    to_epoch_ms,
)
from engine.data.sources.exchange._checkpoint import PullCheckpoint
from engine.data.sources.exchange._client import ExchangeClient
from engine.data.sources.exchange._history_limit import HistoryLimit
from engine.data.sources.exchange._pages import CandlePager
from engine.data.sources.exchange._timeframes import require_offered
from engine.data.sources.exchange._volume_units import convert_volumes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.config import CcxtSourceSpec
    from engine.data.sources.client_settings import ClientSettings

# The first cryptocurrency exchange opened in 2010.
_EARLIEST_START = pd.Timestamp("2010-01-01", tz="UTC")

_NAMED_PAUSES = 3
"""Pauses in trading that a notice names; it counts the others."""

_COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


class ExchangeBarSource(BarSource):
    """Candles of one exchange, fetched page by page.

    Args:
        spec: Exchange and symbols.
        clients: Time-outs, and settings of the exchange.
        checkpoint_folder: Folder for the candles of interrupted fetches; None saves none.
    """

    append_only = True

    def __init__(
        self, spec: CcxtSourceSpec, clients: ClientSettings, checkpoint_folder: Path | None = None
    ) -> None:
        self.spec = spec
        self.checkpoint_folder = checkpoint_folder
        self.client = ExchangeClient(spec.exchange, clients)
        self.label = self.client.label
        self.cache_key = f"ccxt {spec.exchange}"

    def ticker(self, symbol: str) -> str:
        """The exchange's symbol in ccxt's notation; `BTC-USD` is `BTC/USD` unless mapped."""
        return self.spec.symbols.get(symbol, symbol.replace("-", "/"))

    @override
    def times_of(self, symbol: str, times: TradingTimes) -> TradingTimes:
        """Candles end with their interval, counted in UTC, whatever the calendar."""
        return TradingTimes(times.interval)

    @override
    def origin(self, symbol: str) -> str:
        """The client and the exchange."""
        return self.label

    def location(self, symbol: str) -> str:
        """The exchange's symbol."""
        return f"{self.ticker(symbol)} of {self.label}"

    def url(self) -> str:
        """The exchange's public server."""
        exchange = self.client.exchange
        url = exchange.urls["api"]
        while isinstance(url, dict):
            url = url.get("public") or url.get("rest") or next(iter(url.values()))
        return str(url).replace("{hostname}", str(exchange.hostname))

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Fetches candles from `since` to now; the last one may be unfinished.

        A fetch that was interrupted within the last day resumes where it stopped, if the exchange
        still returns the same last candle.

        Minutes without a trade have no candle. A candle that has ended, or begun, by only one of
        the two clocks, the exchange's and this machine's, is left for the next fetch.

        Raises:
            UnreachableError: No answer, throttled, or a server error, also after every retry.
            SourceError: Exchange or symbol unknown, no candles of this interval, or none as old
                as `since` although the market was traded then.
        """
        location = self.location(request.symbol)
        require_offered(self.client.exchange, request.interval, location)
        market = self.client.market(self.ticker(request.symbol), request)
        candles = CandlePager(self.client, market, request.interval)
        now = self.client.exchange_time(request.now)
        until = to_epoch_ms(now)
        if request.newest_only:
            # The candle that began last is unfinished: no second page is asked for to find it.
            until = max(to_epoch_ms(request.since or now), until - candles.step_ms)
        rows = self._fetch_rows(candles, until, request)
        # By the date of the answer that holds the newest candle: clocks are set while feeds run.
        now = self.client.exchange_time(request.now)
        self._report_pauses(candles, request)
        rows, unit = convert_volumes(self.spec.exchange, market, rows)
        if unit:
            request.notify(f"{location}: {unit}")
        table = pd.DataFrame(rows, columns=_COLUMNS)
        table["timestamp"] = pd.to_datetime(
            table["timestamp"].astype("int64"), unit="ms", utc=True
        )
        return _drop_disputed_candles(table, request, now)

    def _fetch_rows(self, pager: CandlePager, until: int, request: BarRequest) -> list[CandleRow]:
        """All candles from the requested one, or from the first one of the market."""
        since = to_epoch_ms(request.since or _EARLIEST_START)
        coarser, first_trade = pager.coarsest(), None
        start = since
        if coarser and until - since > pager.page_size * pager.step_ms:
            # One page of weeks saves thousands of empty pages of minutes before the listing.
            first, first_trade = coarser.find_first(since, until)
            start = since if first is None else max(since, first)
        rows = self._fetch_with_checkpoint(pager, since, start, until, request)
        if rows and rows[0][0] - since > pager.step_ms and not request.newest_only:
            location = self.location(request.symbol)
            HistoryLimit(pager, rows, since, first_trade, location).report(request)
        return rows

    def _fetch_with_checkpoint(
        self, pager: CandlePager, since: int, start: int, until: int, request: BarRequest
    ) -> list[CandleRow]:
        """All pages, after those of an interrupted fetch."""
        what = f"{pager.market['symbol']} {self.label}"
        folder = None if request.newest_only else self.checkpoint_folder
        checkpoint = PullCheckpoint.load(folder, pager, since)
        with checkpoint.save_on_failure():
            resumed_at = checkpoint.resume(pager, until)
            if resumed_at is not None:
                start = resumed_at
                message = f"resumes after {len(checkpoint.rows)} candles of an interrupted pull"
                request.progress.line(f"{self.location(request.symbol)}: {message}")
            for page, reached in pager.iter_pages(start, until):
                checkpoint.add_page(page)
                done, total = (min(reached, until) - start, until - start)
                request.progress.advance(done // pager.step_ms, total // pager.step_ms, what)
        return checkpoint.rows

    def _report_pauses(self, pager: CandlePager, request: BarRequest) -> None:
        """Names the stretches in which the exchange has no candles, once they are verified."""
        if not pager.pauses:
            return
        longest = sorted(pager.pauses, key=lambda pause: pause[0] - pause[1])[:_NAMED_PAUSES]
        spans = ", ".join(
            f"{from_epoch_ms(last):%Y-%m-%d %H:%M} and {from_epoch_ms(first):%Y-%m-%d %H:%M}"
            for last, first in sorted(longest)
        )
        more = len(pager.pauses) - len(longest)
        request.notify(
            f"{self.location(request.symbol)}: the exchange has no {request.interval} candles "
            f"between {spans}{f' and in {more} shorter pauses' if more else ''}; it was asked in "
            "several ways"
        )


def _drop_disputed_candles(
    table: pd.DataFrame, request: BarRequest, exchange_now: pd.Timestamp
) -> pd.DataFrame:
    """The candles without those that have ended, or begun, by one clock and not by the other.

    Where a later candle has come, the exchange's clock has reached it, whatever date it sends.
    """
    begins, ends = table["timestamp"], add_interval(table["timestamp"], request.interval)
    if len(begins):
        exchange_now = max(exchange_now, min(begins.max(), request.now))
    early, late = sorted((request.now, exchange_now))
    disputed = ((ends > early) & (ends <= late)) | ((begins > early) & (begins <= late))
    return table[~disputed].reset_index(drop=True)

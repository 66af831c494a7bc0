"""Any exchange that ccxt knows, public candles only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.calendar import interval_length
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.exchange._checkpoint import PullCheckpoint
from engine.data.sources.exchange._client import ExchangeClient
from engine.data.sources.exchange._pages import CandlePager, CandleRow, from_epoch_ms, to_epoch_ms

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.config import CcxtSourceSpec
    from engine.data.sources.client_settings import ClientSettings

# The first exchange for a cryptocurrency opened in 2010.
_EARLIEST_START = pd.Timestamp("2010-01-01", tz="UTC")

_COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


class ExchangeBarSource(BarSource):
    """The candles of one exchange, page by page.

    Args:
        spec: Exchange and symbols.
        clients: Time-outs, and settings of the exchange.
        checkpoint_folder: Folder for the candles of pulls that broke off; None keeps none.
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

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """The client and the exchange."""
        return self.label

    def location(self, symbol: str) -> str:
        """The exchange's symbol."""
        return f"{self.ticker(symbol)} of {self.label}"

    def url(self) -> str:
        """The exchange's public server."""
        exchange = self.client.exchange
        found = exchange.urls["api"]
        while isinstance(found, dict):
            found = found.get("public") or found.get("rest") or next(iter(found.values()))
        return str(found).replace("{hostname}", str(exchange.hostname))

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Candles from `since` to now, the last of them still open.

        A pull that broke off within the last day goes on where it was, if the exchange still says
        of the last candle what it said then.

        Minutes without a trade are absent. A candle that only one of the two clocks, the
        exchange's and this machine's, calls finished is left for the next pull.

        Raises:
            UnreachableError: No answer, throttled, or a server error, and again after each pause.
            SourceError: Exchange or symbol unknown, no candles of this interval, or none as old
                as `since` although the market was traded then.
        """
        self._require_interval(request)
        market = self.client.market(self.ticker(request.symbol), request)
        candles = CandlePager(self.client, market, request.interval)
        now = self.client.exchange_time(request.now)
        rows = self._fetch_rows(candles, to_epoch_ms(now), request)
        table = pd.DataFrame(rows, columns=_COLUMNS)
        table["timestamp"] = pd.to_datetime(
            table["timestamp"].astype("int64"), unit="ms", utc=True
        )
        return _drop_disputed_candles(table, request, now)

    def _require_interval(self, request: BarRequest) -> None:
        offered = self.client.exchange.timeframes or {}
        if request.interval not in offered:
            raise SourceError(
                f"no {request.interval} candles",
                expected=", ".join(offered) or "an exchange with candles",
                found=request.interval,
                where=self.location(request.symbol),
                fix="change the interval of the dataset",
            )

    def _fetch_rows(self, pager: CandlePager, until: int, request: BarRequest) -> list[CandleRow]:
        """All candles from the one asked for, or the first there is."""
        since = to_epoch_ms(request.since or _EARLIEST_START)
        longer, begun = pager.coarsest(), None
        start = since
        if longer and until - since > pager.page_size * pager.step_ms:
            # One page of weeks saves thousands of empty pages of minutes before the listing.
            begun = longer.find_first_trade(since, until)
            start = max(since, begun - longer.step_ms) if begun is not None else since
        rows = self._fetch_with_checkpoint(pager, since, start, until, request)
        if rows and longer and rows[0][0] - since > pager.step_ms:
            self._report_reach(rows, longer, begun, request)
        return rows

    def _fetch_with_checkpoint(
        self, pager: CandlePager, since: int, start: int, until: int, request: BarRequest
    ) -> list[CandleRow]:
        """All pages, after those of a pull that broke off."""
        what = f"{pager.market['symbol']} {self.label}"
        draft = PullCheckpoint.load(self.checkpoint_folder, pager, since)
        with draft.save_on_failure():
            place = draft.resume(pager, until)
            if place is not None:
                start = place
                told = f"goes on after {len(draft.rows)} candles of a pull that broke off"
                request.progress.line(f"{self.location(request.symbol)}: {told}")
            for page, reached in pager.iter_pages(start, until):
                draft.add_page(page)
                done, total = (min(reached, until) - start, until - start)
                request.progress.advance(done // pager.step_ms, total // pager.step_ms, what)
        return draft.rows

    def _report_reach(
        self,
        rows: list[CandleRow],
        coarser_pager: CandlePager,
        first_trade: int | None,
        request: BarRequest,
    ) -> None:
        """Tells apart a market that was listed late and candles that are not handed out.

        A longer candle that was over before the first of the wanted ones proves that there was
        trading before.

        Raises:
            SourceError: Candles of the span asked for exist and are not handed out.
        """
        first = int(rows[0][0])
        if first_trade is None:
            earliest = first - (coarser_pager.page_size - 1) * coarser_pager.step_ms
            since = to_epoch_ms(request.since or _EARLIEST_START)
            first_trade = coarser_pager.find_first_trade(max(since, earliest), first)
        if first_trade is None or first_trade + coarser_pager.step_ms > first:
            return
        reach = f"the last {len(rows)}, from {from_epoch_ms(first):%Y-%m-%d %H:%M} on"
        before = f"it was traded by {from_epoch_ms(first_trade):%Y-%m-%d}"
        if request.since is None:
            request.progress.notice(
                f"{self.location(request.symbol)}: {request.interval} candles are capped to "
                f"{reach}, "
                f"though {before}"
            )
            return
        raise SourceError(
            f"the exchange caps its {request.interval} candles",
            expected=f"candles from {request.since:%Y-%m-%d %H:%M} on; {before}",
            found=reach,
            where=self.location(request.symbol),
            fix=f"start the dataset on {from_epoch_ms(first).ceil('D'):%Y-%m-%d} or later, take "
            f"longer "
            "bars, or use another source",
        )


def _drop_disputed_candles(
    table: pd.DataFrame, request: BarRequest, exchange_now: pd.Timestamp
) -> pd.DataFrame:
    """The candles without those that are over by one clock and not by the other."""
    over = table["timestamp"] + interval_length(request.interval)
    clocks = (request.now, exchange_now)
    return table[(over <= min(clocks)) | (over > max(clocks))].reset_index(drop=True)

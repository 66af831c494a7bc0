"""Any exchange that ccxt knows, public candles only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.calendar import interval_length
from engine.data.sources.exchange_client import ExchangeClient
from engine.data.sources.exchange_draft import Draft
from engine.data.sources.exchange_pages import Candles, Row, instant, since_1970
from engine.data.sources.feed import Feed, Request
from engine.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.sources.clients import Clients
    from engine.data.spec import CcxtSource

# The first exchange for a cryptocurrency opened in 2010.
_BEGINNING = pd.Timestamp("2010-01-01", tz="UTC")

_COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


class ExchangeFeed(Feed):
    """The candles of one exchange, page by page.

    Args:
        spec: Exchange and symbols.
        clients: Time-outs, and settings of the exchange.
        drafts: Folder for the candles of pulls that broke off; None keeps none.
    """

    appends = True

    def __init__(self, spec: CcxtSource, clients: Clients, drafts: Path | None = None) -> None:
        self.spec = spec
        self.drafts = drafts
        self.client = ExchangeClient(spec.exchange, clients)
        self.label = self.client.label
        self.cache_key = f"ccxt {spec.exchange}"

    def ticker(self, symbol: str) -> str:
        """The exchange's symbol in ccxt's notation; `BTC-USD` is `BTC/USD` unless mapped."""
        return self.spec.symbols.get(symbol, symbol.replace("-", "/"))

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """The client and the exchange."""
        return self.label

    def place(self, symbol: str) -> str:
        """The exchange's symbol."""
        return f"{self.ticker(symbol)} of {self.label}"

    def url(self) -> str:
        """The exchange's public server."""
        exchange = self.client.exchange
        found = exchange.urls["api"]
        while isinstance(found, dict):
            found = found.get("public") or found.get("rest") or next(iter(found.values()))
        return str(found).replace("{hostname}", str(exchange.hostname))

    def fetch(self, request: Request) -> pd.DataFrame:
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
        candles = Candles(self.client, market, request.interval)
        now = self.client.time(request.now)
        rows = self._pages(candles, since_1970(now), request)
        table = pd.DataFrame(rows, columns=_COLUMNS)
        table["timestamp"] = pd.to_datetime(
            table["timestamp"].astype("int64"), unit="ms", utc=True
        )
        return _undisputed(table, request, now)

    def _require_interval(self, request: Request) -> None:
        offered = self.client.exchange.timeframes or {}
        if request.interval not in offered:
            raise SourceError(
                f"no {request.interval} candles",
                expected=", ".join(offered) or "an exchange with candles",
                found=request.interval,
                where=self.place(request.symbol),
                fix="change the interval of the dataset",
            )

    def _pages(self, candles: Candles, until: int, request: Request) -> list[Row]:
        """All candles from the one asked for, or the first there is."""
        since = since_1970(request.since or _BEGINNING)
        longer, begun = candles.longer(), None
        start = since
        if longer and until - since > candles.size * candles.step:
            # One page of weeks saves thousands of empty pages of minutes before the listing.
            begun = longer.first_traded(since, until)
            start = max(since, begun - longer.step) if begun is not None else since
        rows = self._gathered(candles, since, start, until, request)
        if rows and longer and rows[0][0] - since > candles.step:
            self._tell_reach(rows, longer, begun, request)
        return rows

    def _gathered(
        self, candles: Candles, since: int, start: int, until: int, request: Request
    ) -> list[Row]:
        """All pages, after those of a pull that broke off."""
        what = f"{candles.market['symbol']} {self.label}"
        draft = Draft.of(self.drafts, candles, since)
        with draft.kept():
            place = draft.begin(candles, until)
            if place is not None:
                start = place
                told = f"goes on after {len(draft.rows)} candles of a pull that broke off"
                request.progress.line(f"{self.place(request.symbol)}: {told}")
            for page, reached in candles.pages(start, until):
                draft.add(page)
                done, total = (min(reached, until) - start, until - start)
                request.progress.advance(done // candles.step, total // candles.step, what)
        return draft.rows

    def _tell_reach(
        self, rows: list[Row], longer: Candles, begun: int | None, request: Request
    ) -> None:
        """Tells apart a market that was listed late and candles that are not handed out.

        A longer candle that was over before the first of the wanted ones proves that there was
        trading before.

        Raises:
            SourceError: Candles of the span asked for exist and are not handed out.
        """
        first = int(rows[0][0])
        if begun is None:
            earliest = first - (longer.size - 1) * longer.step
            since = since_1970(request.since or _BEGINNING)
            begun = longer.first_traded(max(since, earliest), first)
        if begun is None or begun + longer.step > first:
            return
        reach = f"the last {len(rows)}, from {instant(first):%Y-%m-%d %H:%M} on"
        before = f"it was traded by {instant(begun):%Y-%m-%d}"
        if request.since is None:
            request.progress.notice(
                f"{self.place(request.symbol)}: {request.interval} candles are capped to {reach}, "
                f"though {before}"
            )
            return
        raise SourceError(
            f"the exchange caps its {request.interval} candles",
            expected=f"candles from {request.since:%Y-%m-%d %H:%M} on; {before}",
            found=reach,
            where=self.place(request.symbol),
            fix=f"start the dataset on {instant(first).ceil('D'):%Y-%m-%d} or later, take longer "
            "bars, or use another source",
        )


def _undisputed(table: pd.DataFrame, request: Request, exchange_now: pd.Timestamp) -> pd.DataFrame:
    """The candles without those that are over by one clock and not by the other."""
    over = table["timestamp"] + interval_length(request.interval)
    clocks = (request.now, exchange_now)
    return table[(over <= min(clocks)) | (over > max(clocks))].reset_index(drop=True)

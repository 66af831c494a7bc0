"""Candles of one market, page by page, and how far back they reach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.core.errors import UnreachableError
from engine.data.calendar import INTERVAL_LENGTHS, interval_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.calendar import BarInterval
    from engine.data.sources.exchange._client import ExchangeClient

_DEFAULT_PAGE_SIZE = 500
"""Page size for an exchange whose limit ccxt does not know."""

_LONGEST_FIRST: tuple[BarInterval, ...] = ("1w", "1d")
_SHORTEST_FIRST: tuple[BarInterval, ...] = ("1h", "1d", "1w")

CandleRow = list[float]
"""Open of the candle in milliseconds since 1970, open, high, low, close, volume."""


@dataclass(frozen=True)
class CandlePager:
    """The candles of one market, all of one length.

    Attributes:
        client: The exchange.
        market: ccxt's description of the market.
        interval: Length of a candle.
    """

    client: ExchangeClient
    market: dict[str, Any]
    interval: BarInterval

    @property
    def step_ms(self) -> int:
        """Milliseconds from one candle to the next."""
        return to_milliseconds(interval_length(self.interval))

    @cached_property
    def page_size(self) -> int:
        """Largest number of candles in one answer of the exchange."""
        ticker = self.market["symbol"]
        known = self.client.exchange.feature_value(
            ticker, "fetchOHLCV", "limit", _DEFAULT_PAGE_SIZE
        )
        return int(known or _DEFAULT_PAGE_SIZE)

    def iter_pages(self, since: int, until: int) -> Iterator[tuple[list[CandleRow], int]]:
        """Yields pages of candles, ascending and without repeats, and where the next one starts.

        Every page starts later than the one before, so that an exchange that repeats itself cannot
        keep the loop running. An empty page is accepted if it comes twice and no longer candle
        contradicts it: the listing lies ahead, or trading paused for longer than a page.

        Raises:
            UnreachableError: A page stays empty although there was trading.
            SourceError: The exchange refuses.
        """
        has_rows = False
        while since <= until:
            rows = self._fetch_page(since) or self._fetch_page(since)
            beyond = since + self.page_size * self.step_ms
            if has_rows and not rows:
                self._require_no_trades(since, min(beyond, until))
            has_rows = has_rows or bool(rows)
            since = int(rows[-1][0]) + self.step_ms if rows else beyond
            yield rows, since

    def _require_no_trades(self, since: int, until: int) -> None:
        coarser = self._first_coarser(_SHORTEST_FIRST)
        if coarser is None:
            return
        for row in coarser._fetch_page(since):
            if row[0] + coarser.step_ms <= until and row[5] != 0:
                ticker = self.market["symbol"]
                raise UnreachableError(
                    "the server omits candles",
                    expected=f"{self.interval} candles of {ticker} from "
                    f"{from_epoch_ms(since):%Y-%m-%d %H:%M} on, as something was traded in the "
                    f"{coarser.interval} from {from_epoch_ms(row[0]):%Y-%m-%d %H:%M} on",
                    found="an empty page, twice",
                    where=self.client.label,
                    fix="wait some minutes and run again, or use another source",
                )

    def _fetch_page(self, since: int) -> list[CandleRow]:
        def call() -> list[CandleRow]:
            candles = self.client.exchange.fetch_ohlcv(
                self.market["symbol"], self.interval, since, self.page_size
            )
            return sorted(candle[:6] for candle in candles if candle[0] >= since)

        rows = self.client.execute(call)
        return [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]

    def coarsest(self) -> CandlePager | None:
        """The same market in candles of a week, or of a day; None where no longer ones exist.

        Exchanges that return only the last few hundred candles do so for every length, so that
        longer candles reach further back.
        """
        return self._first_coarser(_LONGEST_FIRST)

    def _first_coarser(self, wanted: tuple[BarInterval, ...]) -> CandlePager | None:
        offered = self.client.exchange.timeframes or {}
        for interval in wanted:
            if (
                interval in offered
                and INTERVAL_LENGTHS[interval] > INTERVAL_LENGTHS[self.interval]
            ):
                return CandlePager(self.client, self.market, interval)
        return None

    def find_first_trade(self, since: int, until: int) -> int | None:
        """Open of the first candle with a trade, in milliseconds; None where there is none."""
        for rows, _ in self.iter_pages(since, until):
            for row in rows:
                if row[5] != 0:
                    return int(row[0])
        return None


def to_milliseconds(duration: pd.Timedelta) -> int:
    """Whole milliseconds."""
    return int(duration // pd.Timedelta(milliseconds=1))


def to_epoch_ms(stamp: pd.Timestamp) -> int:
    """Milliseconds since 1970 of a timestamp."""
    return to_milliseconds(stamp - pd.Timestamp(0, tz="UTC"))


def from_epoch_ms(since_epoch: float) -> pd.Timestamp:
    """The timestamp of milliseconds since 1970."""
    return pd.Timestamp(int(since_epoch), unit="ms", tz="UTC")

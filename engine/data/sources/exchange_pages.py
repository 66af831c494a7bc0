"""The candles of one market, page by page, and how far back they really reach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.calendar import LENGTHS, interval_length
from engine.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.exchange_client import ExchangeClient
    from engine.data.spec import Interval

_PAGE = 500
"""Candles asked for at once from an exchange whose limit ccxt does not know."""

_LONGEST_FIRST: tuple[Interval, ...] = ("1w", "1d")
_SHORTEST_FIRST: tuple[Interval, ...] = ("1h", "1d", "1w")

Row = list[float]
"""Open of the candle in milliseconds since 1970, open, high, low, close, volume."""


@dataclass(frozen=True)
class Candles:
    """The candles of one market, all of one length.

    Attributes:
        client: The exchange.
        market: ccxt's description of the market.
        interval: Length of a candle.
    """

    client: ExchangeClient
    market: dict[str, Any]
    interval: Interval

    @property
    def step(self) -> int:
        """Milliseconds from one candle to the next."""
        return milliseconds(interval_length(self.interval))

    @cached_property
    def size(self) -> int:
        """Candles that the exchange gives at most at once."""
        ticker = self.market["symbol"]
        known = self.client.exchange.feature_value(ticker, "fetchOHLCV", "limit", _PAGE)
        return int(known or _PAGE)

    def pages(self, since: int, until: int) -> Iterator[tuple[list[Row], int]]:
        """Pages of candles, ascending and without repeats, and the instant each one reaches.

        Every page is asked from a later instant than the one before, so that an exchange that
        repeats itself cannot hold the loop. A page without candles is believed once it has come
        twice and no longer candle speaks against it: the listing lies ahead, or trading paused
        for longer than a page.

        Raises:
            UnreachableError: A page keeps coming without candles of a time of trading.
            SourceError: The exchange refuses.
        """
        came = False
        while since <= until:
            rows = self._page(since) or self._page(since)
            beyond = since + self.size * self.step
            if came and not rows:
                self._require_pause(since, min(beyond, until))
            came = came or bool(rows)
            since = int(rows[-1][0]) + self.step if rows else beyond
            yield rows, since

    def _require_pause(self, since: int, until: int) -> None:
        longer = self._longer(_SHORTEST_FIRST)
        if longer is None:
            return
        for row in longer._page(since):
            if row[0] + longer.step <= until and row[5] != 0:
                ticker = self.market["symbol"]
                raise UnreachableError(
                    "the server leaves candles out",
                    expected=f"{self.interval} candles of {ticker} from "
                    f"{instant(since):%Y-%m-%d %H:%M} on, as something was traded in the "
                    f"{longer.interval} from {instant(row[0]):%Y-%m-%d %H:%M} on",
                    found="an empty page, twice",
                    where=self.client.label,
                    fix="wait some minutes and run again, or use another source",
                )

    def _page(self, since: int) -> list[Row]:
        def call() -> list[Row]:
            found = self.client.exchange.fetch_ohlcv(
                self.market["symbol"], self.interval, since, self.size
            )
            return sorted(candle[:6] for candle in found if candle[0] >= since)

        rows = self.client.ask(call)
        return [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]

    def longer(self) -> Candles | None:
        """The same market in candles of a week, or of a day; None where there are no longer ones.

        Exchanges that hand out the last few hundred candles alone do so for every length, so that
        longer ones reach further back.
        """
        return self._longer(_LONGEST_FIRST)

    def _longer(self, wanted: tuple[Interval, ...]) -> Candles | None:
        offered = self.client.exchange.timeframes or {}
        for interval in wanted:
            if interval in offered and LENGTHS[interval] > LENGTHS[self.interval]:
                return Candles(self.client, self.market, interval)
        return None

    def first_traded(self, since: int, until: int) -> int | None:
        """When the first candle opened in which something was traded; None if nothing was."""
        for rows, _ in self.pages(since, until):
            for row in rows:
                if row[5] != 0:
                    return int(row[0])
        return None


def milliseconds(span: pd.Timedelta) -> int:
    """Whole milliseconds."""
    return int(span // pd.Timedelta(milliseconds=1))


def since_1970(stamp: pd.Timestamp) -> int:
    """Milliseconds from 1970 to an instant."""
    return milliseconds(stamp - pd.Timestamp(0, tz="UTC"))


def instant(since_epoch: float) -> pd.Timestamp:
    """The instant so many milliseconds after 1970."""
    return pd.Timestamp(int(since_epoch), unit="ms", tz="UTC")

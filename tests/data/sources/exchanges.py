"""Local exchange servers, and a client that fetches bars from them, in tests."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.bars import normalise_bars
from engine.data.config import CcxtSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.exchange import ExchangeBarSource
from tests.data.datasets import RecordingProgress
from tests.servers.binance import Binance
from tests.servers.bitstamp import Bitstamp
from tests.servers.candles import Candle, candles
from tests.servers.kraken import Kraken
from tests.servers.local import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.local import Served
    from tests.servers.market import Market
    from tests.servers.paging import PagedExchange

HOUR = 3_600
NOON = pd.Timestamp("2024-03-10 12:20", tz="UTC")
"""The present in these tests: the candle of 12:00 is unfinished."""

EXCHANGES: dict[str, tuple[type[Market], str]] = {
    "bitstamp": (Bitstamp, "BTC/USD"),
    "binance": (Binance, "BTC/USDT"),
    "kraken": (Kraken, "BTC/USD"),
}


def hours(count: int) -> list[Candle]:
    """Candles of an hour, the last of which is open at `NOON`."""
    last = int(NOON.floor("h").timestamp())
    return candles(last - (count - 1) * HOUR, count, step=HOUR)


def at(candle: Candle) -> pd.Timestamp:
    return pd.Timestamp(candle.seconds, unit="s", tz="UTC")


@dataclass
class ExchangeFetcher:
    """Fetches bars of the one market of a local exchange server."""

    name: str
    served: Served
    timeout_s: float = 1.0
    pauses_s: tuple[float, ...] = (0.01, 0.01)
    settings: dict[str, Any] = field(default_factory=lambda: {"rateLimit": 1})
    progress: RecordingProgress = field(default_factory=RecordingProgress)
    checkpoint_folder: Path | None = None

    @property
    def ticker(self) -> str:
        return EXCHANGES[self.name][1]

    @property
    def market(self) -> Any:
        return self.served.site

    @property
    def clients(self) -> ClientSettings:
        url = self.served.url
        api = {
            "bitstamp": {"public": f"{url}/api"},
            "kraken": {"public": url},
            "binance": {
                "public": f"{url}/api/v3",
                "fapiPublic": f"{url}/fapi/v1",
                "dapiPublic": f"{url}/dapi/v1",
            },
        }[self.name]
        return ClientSettings(
            timeout_s=self.timeout_s,
            retry_pauses_s=self.pauses_s,
            exchange_options={"urls": {"api": api}, **self.settings},
        )

    def fetch(self, since: pd.Timestamp | None, interval: str = "1h", now=NOON) -> pd.DataFrame:
        spec = CcxtSourceSpec(exchange=self.name, symbols=self.symbols)
        source = ExchangeBarSource(spec, self.clients, self.checkpoint_folder)
        raw = source.fetch(BarRequest("BTC", interval, since, now, self.progress))
        return normalise_bars(raw, "BTC")

    @property
    def symbols(self) -> dict[str, str]:
        return {"BTC": self.ticker}

    def pages(self) -> list[str]:
        """Requests for candles so far."""
        return [line for line in self.served.log if "ohlc" in line.lower() or "klines" in line]


@dataclass
class PagedFetcher:
    """Fetches bars of a `PagedExchange`; `served.log` holds its requests."""

    kind: type[PagedExchange]
    served: Served
    settings: dict[str, Any] = field(default_factory=lambda: {"rateLimit": 1})
    progress: RecordingProgress = field(default_factory=RecordingProgress)
    checkpoint_folder: Path | None = None
    pauses_s: tuple[float, ...] = (0.01,)

    def fetch(
        self, since: pd.Timestamp | None, interval: str = "1h", now: pd.Timestamp = NOON
    ) -> pd.DataFrame:
        clients = ClientSettings(
            timeout_s=5.0,
            retry_pauses_s=self.pauses_s,
            exchange_options={
                "urls": {"api": self.kind.api(self.served.url)},
                "markets": self.kind.markets(),
                **self.settings,
            },
        )
        spec = CcxtSourceSpec(exchange=self.kind.name, symbols={"BTC": self.kind.ticker})
        source = ExchangeBarSource(spec, clients, self.checkpoint_folder)
        raw = source.fetch(BarRequest("BTC", interval, since, now, self.progress))
        return normalise_bars(raw, "BTC")


@contextmanager
def paged(
    kind: type[PagedExchange], book: list[Candle], **settings: Any
) -> Iterator[PagedFetcher]:
    """A fetcher of one market of a `PagedExchange`."""
    with serve(kind({kind.ticker: book}, **settings)) as served:
        yield PagedFetcher(kind, served)

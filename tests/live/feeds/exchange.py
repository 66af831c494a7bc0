"""A feed on a local exchange that plays minutes, by a clock that the test sets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.config import Dataset
from engine.data.manifests import DatasetManifest
from engine.data.sources import ClientSettings
from engine.live.feeds import open_feed
from tests.data.datasets import RecordingProgress
from tests.live.manual_clock import ManualClock
from tests.servers.candles import Candle, candles
from tests.servers.local import Served, serve
from tests.servers.player import Player

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.live.feeds import Feed, FeedSpec

NOON = "2026-11-30 12:00"
MINUTE = 60


def at(text: str) -> pd.Timestamp:
    """An instant of that day, `12:01` or `12:01:02`."""
    return pd.Timestamp(f"2026-11-30 {text}", tz="UTC")


def minutes(first: str = "10:00", count: int = 180, scale: float = 100.0) -> list[Candle]:
    """Candles of a minute from an instant of that day on."""
    return candles(int(at(first).timestamp()), count, MINUTE, scale)


@dataclass
class Exchange:
    """The exchange: `skew_s` is how far its clock is ahead of ours."""

    served: Served
    clock: ManualClock
    tmp_path: Path
    stream_url: str = ""
    progress: RecordingProgress = field(default_factory=RecordingProgress)
    timeout_s: float = 2.5
    pauses_s: tuple[float, ...] = ()

    @property
    def player(self) -> Player:
        assert isinstance(self.served.site, Player)
        return self.served.site

    def set_skew(self, seconds: float) -> None:
        self.served.ahead_s = seconds
        self.player.now = lambda: self.clock.now().timestamp() + seconds

    def correct(self, pair: str, opened: str, **values: float) -> None:
        """Another candle in place of the one that opened then."""
        seconds = int(at(opened).timestamp())
        self.player.books[pair] = [
            Candle(**(vars(candle) | values)) if candle.seconds == seconds else candle
            for candle in self.player.books[pair]
        ]

    def requests(self) -> list[str]:
        """The requests for candles since the last look."""
        found = self.served.requests("klines")
        self.served.log.clear()
        return found

    def open(self, spec: FeedSpec, *symbols: str, **keys: Any) -> Feed:
        url = self.served.url
        urls: dict[str, Any] = {"public": f"{url}/api/v3"}
        if self.stream_url:
            urls["ws"] = {"spot": self.stream_url}
        clients = ClientSettings(
            timeout_s=self.timeout_s,
            retry_pauses_s=self.pauses_s,
            exchange_options={
                "urls": {"api": urls},
                "rateLimit": 1,
                "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
            },
        )
        dataset = Dataset(
            name="minutes",
            calendar="24/7",
            symbols=symbols or ("BTC-USDT",),
            **{"interval": "1m", "sources": ({"kind": "ccxt", "exchange": "binance"},), **keys},
        )
        return open_feed(
            spec,
            DatasetManifest(dataset, self.tmp_path / "minutes.yaml"),
            home=self.tmp_path / "home",
            clock=self.clock,
            progress=self.progress,
            clients=clients,
        )


@contextmanager
def exchange_at(
    instant: str, tmp_path: Path, books: dict[str, list[Candle]] | None = None
) -> Iterator[Exchange]:
    """An exchange whose clock and ours show that instant of the day."""
    clock = ManualClock(f"2026-11-30 {instant}")
    books = books or {"BTC/USDT": minutes(), "ETH/USDT": minutes(scale=10.0)}
    player = Player(books, now=lambda: clock.now().timestamp())
    with serve(player) as served:
        served.faulty = "klines"
        yield Exchange(served, clock, tmp_path)


def stamps(bars: pd.DataFrame, symbol: str = "BTC-USDT") -> list[str]:
    """The times of a symbol's bars."""
    return [f"{stamp:%H:%M}" for stamp in bars.loc[bars["symbol"] == symbol, "timestamp"]]

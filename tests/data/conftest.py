from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from engine.data.config import DataSpec
from engine.data.load import load_market
from engine.data.sources.client_settings import ClientSettings
from tests.data.datasets import BITSTAMP, COINS, COUNT, FIRST, NOW, YAHOO, RecordingProgress
from tests.servers.bitstamp import Bitstamp
from tests.servers.candles import candles
from tests.servers.local import Served, serve
from tests.servers.yahoo import Chart, Yahoo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def progress() -> RecordingProgress:
    return RecordingProgress()


@pytest.fixture
def bitstamp() -> Iterator[Served]:
    books = {
        "BTC/USD": candles(FIRST, COUNT, scale=30_000),
        "ETH/USD": candles(FIRST, COUNT, scale=2_000),
    }
    with serve(Bitstamp(books)) as served:
        yield served


@pytest.fixture
def yahoo() -> Iterator[Served]:
    from yfinance import cache
    from yfinance.data import SingletonMeta, YfData

    # yfinance remembers cookies, answers and time zones for the whole process.
    SingletonMeta._instances.clear()
    YfData.cache_get.cache_clear()
    cache._TzCacheManager._tz_cache = None
    charts = {
        "BTC-USD": Chart(candles(FIRST, COUNT, scale=30_000)),
        "ETH-USD": Chart(candles(FIRST, COUNT, scale=2_000)),
    }
    with serve(Yahoo(charts)) as served:
        yield served


@pytest.fixture
def clients(bitstamp: Served, yahoo: Served) -> ClientSettings:
    return ClientSettings(
        # Far beyond what a busy machine needs, and below the servers' hang.
        timeout_s=2.5,
        retry_pauses_s=(0.01, 0.01),
        yahoo_url=yahoo.url,
        exchange_options={"urls": {"api": {"public": f"{bitstamp.url}/api"}}, "rateLimit": 1},
    )


@pytest.fixture
def unreachable() -> ClientSettings:
    """Clients whose servers do not listen."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    return ClientSettings(
        timeout_s=1.0,
        retry_pauses_s=(),
        yahoo_url=url,
        exchange_options={"urls": {"api": {"public": f"{url}/api"}}, "rateLimit": 1},
    )


@pytest.fixture
def load(tmp_path, monkeypatch, clients, progress):
    monkeypatch.chdir(tmp_path)

    def market(text=COINS + YAHOO + BITSTAMP, *, offline=False, fallback=None, **options):
        (tmp_path / "coins.yaml").write_text(text)
        spec = DataSpec(dataset="coins.yaml", offline=fallback)
        defaults = {"override": None, "clients": clients, "now": NOW, "progress": progress}
        return load_market(
            spec, home=tmp_path / "home", offline=offline, **{**defaults, **options}
        )

    return market

"""Funding rates that an exchange sends while an account lives."""

from __future__ import annotations

import pandas as pd

from engine.core.progress import NullProgress
from engine.data import read_manifest
from engine.live.feeds.funding import ExchangeRates
from tests.data.sources.exchanges import ExchangeFetcher, hours
from tests.data.test_market_funding import FIRST, PERPS, TICKER
from tests.live.manual_clock import ManualClock
from tests.servers.binance import Binance
from tests.servers.local import serve


class Told(NullProgress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


def test_the_rates_that_were_due_since_the_last_one_are_given_once_they_are_there(
    tmp_path,
) -> None:
    (tmp_path / "perps.yaml").write_text(PERPS.replace("FUNDING", "true"))
    start = int(FIRST.timestamp())
    rates = {TICKER: [(start + i * 28_800, 1e-4 * (i + 1)) for i in range(22)]}
    clock, told = ManualClock("2024-03-03 00:00:01"), Told()
    last = FIRST + pd.Timedelta("40h")
    with serve(Binance({TICKER: hours(300)}, rates=rates)) as served:
        clients = ExchangeFetcher("binance", served).clients
        feed = ExchangeRates(read_manifest(str(tmp_path / "perps.yaml")), clock, told, clients)
        found = feed.fetch({"BTC": last})
        assert found["timestamp"].tolist() == [FIRST + pd.Timedelta("48h")]
        assert found["rate"].tolist() == [1e-4 * 7]
        assert feed.fetch({"BTC": last}).empty  # asked a moment ago
    clock.sleep_until(clock.now() + pd.Timedelta("6s"))
    assert feed.fetch({"BTC": last}).empty  # the server is gone
    assert len(told.texts) == 1
    assert "asked for again" in told.texts[0]

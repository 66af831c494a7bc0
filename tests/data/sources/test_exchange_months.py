"""Candles of months, which ccxt names `1M`."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from engine.core.errors import SourceError
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars
from engine.data.sources.exchange._timeframes import require_offered
from tests.data.quality.tables import rules
from tests.data.sources.exchanges import NOON, paged
from tests.servers.candles import candles
from tests.servers.paging import MexcSpot


def months(count):
    """Candles of calendar months up to the one that is not over."""
    opens = pd.date_range(end=NOON.normalize().replace(day=1), periods=count, freq="MS")
    return [
        replace(candle, seconds=int(at.timestamp()))
        for candle, at in zip(candles(0, count), opens, strict=True)
    ]


@pytest.mark.parametrize("largest", [7, 1_000])
def test_every_month_comes_once_whatever_its_length(largest):
    book = months(100)
    with paged(MexcSpot, book, largest=largest) as fetcher:
        fetched = fetcher.fetch(pd.Timestamp(book[0].seconds, unit="s", tz="UTC"), "1mo")
    bars = drop_unfinished_bars(fetched, TradingTimes("1mo"), NOON)
    assert [int(stamp.timestamp()) for stamp in bars["timestamp"]] == [
        candle.seconds for candle in book[:-1]
    ]
    assert bars["close"].tolist() == [candle.close for candle in book[:-1]]
    assert "interval" not in rules(bars.drop(columns="symbol"), "1mo")


def test_an_exchange_without_months_names_the_candles_to_resample():
    exchange = SimpleNamespace(timeframes={"1h": "60", "1d": "1440", "1w": "10080"})
    with pytest.raises(SourceError, match="no 1mo candles") as caught:
        require_offered(exchange, "1mo", "some exchange")
    # A week may lie in two months.
    assert "`interval: 1d`" in caught.value.fix

"""The rules on real bars: what is sound passes, what is broken is named."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.data.collect import Access, collect
from engine.data.manifests import Manifest
from engine.data.sources.clients import Clients
from engine.data.spec import Dataset, FilesSource
from engine.errors import BadBarsError
from tests.data.datasets import Told

NOW = pd.Timestamp("2026-06-01", tz="UTC")


@pytest.fixture
def read(market_data, tmp_path):
    def frames(folder, *symbols, ending=".csv", interval="1d", columns=None, start=None):
        source = FilesSource(
            path=str(market_data / folder), pattern="{symbol}" + ending, columns=columns or {}
        )
        dataset = Dataset(
            name="real",
            interval=interval,
            calendar="24/7",
            symbols=symbols,
            sources=(source,),
            start=start,
        )
        access = Access(tmp_path, False, NOW, Told(), Clients())
        return collect(Manifest(dataset, tmp_path / "real.yaml"), access).frames

    return frames


def test_daily_coins_are_sound(read):
    rows = {"BTC": 2991, "ETH": 2160, "XRP": 2893, "LTC": 2991, "DOGE": 2760}
    assert {name: len(bars) for name, bars in read("crypto_daily", *rows).items()} == rows


def test_hourly_coins_are_sound(read):
    found = read("crypto_1h", "BTCUSDT", "ETHUSDT", ending=".csv.gz", interval="1h")
    assert {len(bars) for bars in found.values()} == {43_986}


@pytest.mark.parametrize(
    ("symbol", "ending", "rows"),
    [
        ("AAPL", ".csv.gz", 11_089),
        ("MSFT", ".csv.gz", 9_763),
        ("SPY", ".csv.gz", 8_222),
        ("QQQ", ".csv.gz", 6_680),
        ("TLT", ".csv", 5_829),
        ("GLD", ".csv", 5_247),
    ],
)
def test_daily_shares_and_funds_are_sound(read, symbol, ending, rows):
    assert len(read("us_daily", symbol, ending=ending)[symbol]) == rows


@pytest.mark.parametrize(
    ("symbol", "count", "first", "last", "start", "left"),
    [
        ("XOM", "1987 of 15842", "1962-01-02", "1969-12-31", "1970-01-01", 13_855),
        ("JPM", "959 of 11277", "1980-03-17", "1983-12-29", "1983-12-30", 10_318),
    ],
)
def test_opens_of_zero_are_named_and_the_advised_start_helps(
    read, symbol, count, first, last, start, left
):
    with pytest.raises(BadBarsError) as error:
        read("us_daily", symbol, ending=".csv.gz")
    assert f"bars of {symbol} cannot be trusted: {count} bars have no open" in error.value.problem
    assert first in error.value.found
    assert f"the last {last}" in error.value.found
    assert f"`start: {start}` to the dataset, which leaves {left} bars" in error.value.fix
    assert len(read("us_daily", symbol, ending=".csv.gz", start=start)[symbol]) == left


def test_numbers_that_a_spreadsheet_rewrote_are_told_with_their_line(read):
    columns = {name: name.capitalize() for name in ("open", "high", "low", "close", "volume")}
    with pytest.raises(BadBarsError) as error:
        read("defects", "cmc_BTC_excel_locale_corrupted", columns={**columns, "timestamp": "Date"})
    assert error.value.found == "13.444.400.024.414.000"
    assert error.value.where.endswith("line 2")

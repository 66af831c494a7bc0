"""The quality rules on real bars: valid ones pass, defects are named."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import BarsParseError, InvalidBarsError
from engine.data.config import Dataset
from engine.data.context import DataContext
from engine.data.fetch.dataset import fetch_dataset
from engine.data.files_config import FilesSourceSpec
from engine.data.manifests import DatasetManifest
from engine.data.resampling import resample_bars
from engine.data.sources.client_settings import ClientSettings
from tests.data.datasets import RecordingProgress

NOW = pd.Timestamp("2026-06-01", tz="UTC")


@pytest.fixture
def read(market_data, tmp_path):
    def frames(folder, *symbols, ending=".csv", interval="1d", start=None, **options):
        source = FilesSourceSpec(
            path=str(market_data / folder), pattern="{symbol}" + ending, **options
        )
        dataset = Dataset(
            name="real",
            interval=interval,
            calendar="24/7",
            symbols=symbols,
            sources=(source,),
            start=start,
        )
        context = DataContext(tmp_path, False, NOW, RecordingProgress(), ClientSettings())
        return fetch_dataset(DatasetManifest(dataset, tmp_path / "real.yaml"), context).frames

    return frames


def test_daily_coins_are_valid(read):
    rows = {"BTC": 2991, "ETH": 2160, "XRP": 2893, "LTC": 2991, "DOGE": 2760}
    assert {name: len(bars) for name, bars in read("crypto_daily", *rows).items()} == rows


def test_hourly_coins_are_valid(read):
    frames = read("crypto_1h", "BTCUSDT", "ETHUSDT", ending=".csv.gz", interval="1h")
    assert {len(bars) for bars in frames.values()} == {43_986}


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
def test_daily_shares_and_funds_are_valid(read, symbol, ending, rows):
    assert len(read("us_daily", symbol, ending=ending)[symbol]) == rows


@pytest.mark.parametrize(
    ("symbol", "count", "first", "last", "start", "left"),
    [
        ("XOM", "1987 of 15842", "1962-01-02", "1969-12-31", "1970-01-01", 13_855),
        ("JPM", "959 of 11277", "1980-03-17", "1983-12-29", "1983-12-30", 10_318),
    ],
)
def test_zero_opens_are_reported_and_the_advised_start_removes_them(
    read, symbol, count, first, last, start, left
):
    with pytest.raises(InvalidBarsError) as error:
        read("us_daily", symbol, ending=".csv.gz")
    assert (
        f"bars of {symbol} fail the quality checks: {count} bars have no open"
        in error.value.problem
    )
    assert first in error.value.found
    assert f"the last {last}" in error.value.found
    assert f"`start: {start}` to the dataset, which leaves {left} bars" in error.value.fix
    assert len(read("us_daily", symbol, ending=".csv.gz", start=start)[symbol]) == left


VALUES = ("open", "high", "low", "close", "volume")

# Days in this folder are labelled by their last minute.
DAY_FIRST = {"dates": "day_first", "timezone": "UTC"}


def test_numbers_rewritten_by_a_spreadsheet_are_reported_with_their_line(read):
    with pytest.raises(BarsParseError) as error:
        read("defects", "cmc_BTC_excel_locale_corrupted")
    assert error.value.rule == "damaged_numbers"
    assert error.value.found.startswith("13.444.400.024.414.000: several points")
    assert error.value.count == 2805
    assert error.value.where.endswith("line 2")


def test_rewritten_numbers_are_an_error_under_every_number_format(read):
    for decimal, thousands in ((",", "."), (",", ""), (".", ",")):
        with pytest.raises(BarsParseError):
            read("defects", "cmc_BTC_excel_locale_corrupted", decimal=decimal, thousands=thousands)


def test_dates_rewritten_by_a_spreadsheet_need_a_declared_order(read):
    # The file's numbers cannot be read; its first column is read in their place.
    rows = {"columns": dict.fromkeys(VALUES, "SNo")}
    with pytest.raises(BarsParseError) as error:
        read("defects", "cmc_BTC_excel_locale_corrupted", **rows)
    assert error.value.rule == "ambiguous_dates"
    assert error.value.found == "29-04-13 23:59: 2013-04-29 with the day first"
    assert "`dates: day_first`" in error.value.fix
    frames = read("defects", "cmc_BTC_excel_locale_corrupted", **rows, **DAY_FIRST)
    stamps = frames["cmc_BTC_excel_locale_corrupted"]["timestamp"]
    pd.testing.assert_series_equal(stamps, read("crypto_daily", "BTC")["BTC"]["timestamp"])


def test_iso_dates_are_read_under_the_same_declaration(read):
    stamps = read("defects", "cmc_ETH_date_formats", **DAY_FIRST)["cmc_ETH_date_formats"]
    original = read("crypto_daily", "ETH")["ETH"]
    pd.testing.assert_series_equal(stamps["timestamp"], original["timestamp"])
    pd.testing.assert_series_equal(stamps["close"], original["close"], rtol=1e-6)


def test_days_resampled_from_real_hours_equal_those_of_pandas(read):
    hours = read("crypto_1h", "BTCUSDT", ending=".csv.gz", interval="1h")["BTCUSDT"]
    days = resample_bars(hours, "1h", "1d", "24/7").bars.set_index("timestamp")
    assert f"{days.index[0]:%Y-%m-%d}" == "2021-01-13"  # the 12th begins at 08:00
    table = hours.set_index("timestamp").resample("1D")
    pd.testing.assert_series_equal(
        days["close"], table["close"].last()[days.index], check_freq=False
    )
    pd.testing.assert_series_equal(days["high"], table["high"].max()[days.index], check_freq=False)

from __future__ import annotations

import time
from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.config import YahooSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.yahoo import YahooBarSource
from tests.data.datasets import COUNT, DAY, FIRST, NOW
from tests.servers.candles import candles
from tests.servers.yahoo import Chart


@pytest.fixture
def pull(tmp_path, clients):
    def bars(symbol="BTC-USD", spec=None, interval="1d", clients=clients):
        feed = YahooBarSource(spec or YahooSourceSpec(), tmp_path, clients)
        return normalise_bars(
            feed.fetch(BarRequest(symbol, interval, None, NOW, NullProgress())), symbol
        )

    return bars


def test_a_day_is_labelled_by_its_date_on_the_exchange_across_clock_changes(yahoo, pull):
    opens = [
        stamp.timestamp()
        for stamp in pd.date_range("2023-03-09 09:30", periods=5, tz="America/New_York")
    ]
    served = [
        replace(candle, seconds=int(at))
        for candle, at in zip(candles(FIRST, 5), opens, strict=True)
    ]
    yahoo.site.charts["NYSE"] = Chart(served, zone="America/New_York", kind="EQUITY")
    assert pull("NYSE")["timestamp"].tolist() == list(
        pd.date_range("2023-03-09", periods=5, tz="UTC")
    )


def test_an_hour_is_labelled_by_its_utc_timestamp(yahoo, pull):
    # Yahoo keeps two years of hours, counted from the present.
    first = int(pd.Timestamp.now("UTC").floor("D").timestamp()) - 30 * DAY
    yahoo.site.charts["HOURS"] = Chart(candles(first, 100, step=3600))
    stamps = pull("HOURS", interval="1h")["timestamp"]
    expected = pd.date_range(pd.Timestamp(first, unit="s", tz="UTC"), periods=100, freq="h")
    assert stamps.tolist() == list(expected)


@pytest.mark.parametrize(
    ("interval", "step"), [("1m", 60), ("5m", 300), ("15m", 900), ("30m", 1800)]
)
def test_shorter_bars_come_at_their_interval(yahoo, pull, interval, step):
    first = int(pd.Timestamp.now("UTC").floor("D").timestamp()) - 3 * DAY
    # Of 30m, yfinance makes bars from those of 15m, because Yahoo sends hours in their place.
    served = candles(first, 96, step=min(step, 900))
    yahoo.site.charts["QUICK"] = Chart(served)
    bars = pull("QUICK", interval=interval)
    assert set(bars["timestamp"].diff().dropna()) == {pd.Timedelta(seconds=step)}
    assert bars["open"][0] == served[0].open
    assert bars["volume"].sum() == sum(candle.volume for candle in served)


def test_the_current_price_row_of_a_week_is_dropped(yahoo, pull):
    # Weeks begin on Monday; the last, of 2024-03-04, is not over on Sunday noon.
    first = int(pd.Timestamp("2024-03-04", tz="UTC").timestamp()) - 51 * 7 * DAY
    yahoo.site.charts["WEEKS"] = Chart(candles(first, 52, step=7 * DAY), live=6 * DAY)
    bars = drop_unfinished_bars(pull("WEEKS", interval="1w"), TradingTimes("1w"), NOW)
    assert len(bars) == 51
    assert bars["timestamp"].max() == pd.Timestamp("2024-02-26", tz="UTC")


def test_the_current_month_is_dropped_until_it_is_over(yahoo, pull):
    # Yahoo labels a month by its first day on the exchange.
    opens = pd.date_range("2023-01-01", periods=15, freq="MS", tz="America/New_York")
    served = [
        replace(candle, seconds=int(at.timestamp()))
        for candle, at in zip(candles(FIRST, 15), opens, strict=True)
    ]
    yahoo.site.charts["MONTHS"] = Chart(served, zone="America/New_York", kind="EQUITY")
    pulled = pull("MONTHS", interval="1mo")
    bars = drop_unfinished_bars(pulled, TradingTimes("1mo"), NOW)
    assert pulled["timestamp"].max() == pd.Timestamp("2024-03-01", tz="UTC")
    assert bars["timestamp"].tolist() == list(
        pd.date_range("2023-01-01", "2024-02-01", freq="MS", tz="UTC")
    )
    over = pd.Timestamp("2024-04-01", tz="UTC")
    assert len(drop_unfinished_bars(pulled, TradingTimes("1mo"), over)) == 15
    assert (
        len(drop_unfinished_bars(pulled, TradingTimes("1mo"), over - pd.Timedelta(seconds=1)))
        == 14
    )


def test_days_on_which_yahoo_has_no_price_are_left_out(yahoo, pull):
    yahoo.site.charts["HOLES"] = Chart(candles(FIRST, COUNT), nulls={5, 6})
    bars = pull("HOLES")
    assert len(bars) == COUNT - 2
    assert pd.Timestamp(FIRST + 5 * DAY, unit="s", tz="UTC") not in set(bars["timestamp"])


def test_a_symbol_is_mapped_to_the_ticker(pull):
    spec = YahooSourceSpec(symbols={"bitcoin": "BTC-USD"})
    assert len(pull("bitcoin", spec)) == COUNT


def test_an_unknown_interval_is_refused_without_a_request(yahoo, pull):
    with pytest.raises(SourceError, match="no 4h bars"):
        pull(interval="4h")
    assert yahoo.log == []


def test_bars_are_fetched_without_a_cookie(yahoo, pull):
    yahoo.faulty, yahoo.faults = "crumb", [500] * 10
    assert len(pull()) == COUNT


def test_the_time_of_one_history_is_limited(yahoo, pull, clients):
    yahoo.faults = ["hang"] * 40
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        pull(clients=replace(clients, timeout_s=0.3))
    assert time.monotonic() - began < 4 * 0.3 + 1.0


def test_yfinance_prints_and_logs_nothing(yahoo, pull, capfd, caplog):
    pull()
    with pytest.raises(SourceError):
        pull("NO-SUCH")
    yahoo.faults = [500] * 40
    with pytest.raises(UnreachableError):
        pull()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []

"""What a manifest that is proposed for files is made from: names, steps, hours and days."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.data.calendar import exchange_timezone, trading_schedule
from engine.data.proposal._calendar_guess import CANDIDATES, FUTURES, WEEKDAYS, BarTimes
from engine.data.proposal._calendars import guess_calendar
from engine.data.proposal._clock import find_interval
from engine.data.proposal._hours import usual_hours
from engine.data.proposal._names import find_symbol, name_files


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("AAPL.csv", "AAPL"),
        ("BTC-USD.csv.gz", "BTC-USD"),
        ("BRK.B.csv", "BRK.B"),
        ("^NDX.csv", "^NDX"),
        ("BTCUSDT-1h-2025-01.zip", "BTCUSDT"),
        ("BTCUSDT-1d-2025-01-31.csv", "BTCUSDT"),
        ("Binance_BTCUSDT_d.csv", "BTCUSDT"),
        ("Bitstamp_BTCUSD_2020_minute.csv", "BTCUSD"),
        ("XBTUSD_60.csv", "XBTUSD"),
        ("XRP_ETH-5m.feather", "XRP_ETH"),
        ("EURUSD60.csv", "EURUSD"),
        ("ADAUSD_H1.csv", "ADAUSD"),
        ("EURUSD_M5_202001020000_202101010000.csv", "EURUSD"),
        ("DAT_ASCII_EURUSD_M1_202402.csv", "EURUSD"),
        ("EURUSD_Candlestick_1_Hour_BID_01.01.2020-31.12.2020.csv", "EURUSD"),
        ("USDJPY_1 Min_Bid_2015.01.01_2026.08.22.csv", "USDJPY"),
        ("NASDAQ_AAPL, 60.csv", "AAPL"),
        ("BINANCE_BTCUSDT, 1D_3ab4f.csv", "BTCUSDT"),
        ("AAPL Historical Data.csv", "AAPL"),
        ("AAPL_full_1min_adjsplitdiv.txt", "AAPL"),
        ("intraday_5min_IBM.csv", "IBM"),
        ("daily_adjusted_IBM.csv", "IBM"),
        ("600000.csv", "600000"),
        ("spy.zip", "spy"),
    ],
)
def test_the_symbol_is_found_in_the_name_of_a_file(name: str, symbol: str) -> None:
    assert find_symbol(name) == symbol


@pytest.mark.parametrize(
    ("names", "symbols", "pattern"),
    [
        (["BTC-1h-2024-12.csv", "BTC-1h-2025-01.csv"], ("BTC",), "{symbol}-1h-202*.csv"),
        (["BTC_1d.csv", "ETH_1d.csv"], ("BTC", "ETH"), "{symbol}_1d.csv"),
        (
            ["spy/20131007_trade.zip", "spy/20131008_trade.zip"],
            ("spy",),
            "{symbol}/{date}_trade.zip",
        ),
        (["spy/20131007_trade.zip"], ("spy",), "{symbol}/{date}_trade.zip"),
    ],
)
def test_files_that_belong_together_have_one_pattern(
    names: list[str], symbols: tuple[str, ...], pattern: str
) -> None:
    named = name_files([Path(name) for name in names])
    assert (named.symbols, named.pattern) == (symbols, pattern)


def test_names_without_a_common_pattern_are_listed() -> None:
    named = name_files([Path("Binance_BTCUSDT_d.csv"), Path("ETH-1d.csv")])
    assert named.pattern == "{symbol}"
    assert named.names == {"BTCUSDT": "Binance_BTCUSDT_d.csv", "ETH": "ETH-1d.csv"}


def stamps(first: str, periods: int, frequency: str) -> pd.Series:
    return pd.Series(pd.date_range(first, periods=periods, freq=frequency, tz="UTC"))


@pytest.mark.parametrize(
    ("frequency", "interval"),
    [
        *(("1min", "1m"), ("5min", "5m"), ("15min", "15m"), ("30min", "30m")),
        *(("1h", "1h"), ("4h", "4h"), ("1D", "1d"), ("1W", "1w"), ("B", "1d")),
    ],
)
def test_the_interval_is_the_usual_step(frequency: str, interval: str) -> None:
    assert find_interval(stamps("2024-01-01", 300, frequency), "").interval == interval


def test_bars_without_a_trade_do_not_make_the_interval_longer() -> None:
    minutes = stamps("2024-01-01", 3000, "1min").sample(frac=0.4, random_state=7).sort_values()
    assert find_interval(minutes, "").interval == "1m"


def test_the_hours_of_a_session_have_the_interval_of_an_hour() -> None:
    opens = trading_schedule("XNYS", pd.Timestamp("2024-01-02"), pd.Timestamp("2024-04-30"))[
        "open"
    ]
    hours = pd.concat([opens + pd.Timedelta(hours=n) for n in range(7)])
    assert find_interval(hours.reset_index(drop=True), "").interval == "1h"


def test_a_lunch_break_of_an_hour_and_a_half_does_not_hide_the_hours() -> None:
    days = pd.date_range("2024-01-01", periods=60, freq="B", tz="UTC")
    clock = pd.to_timedelta(["0h", "1h", "2h", "3.5h", "4.5h", "5.5h"])
    hours = pd.Series([day + time for day in days for time in clock])
    assert find_interval(hours, "").interval == "1h"


@pytest.mark.parametrize(("frequency", "found"), [("10min", "10 minutes"), ("2h", "2 hours")])
def test_a_length_that_the_engine_does_not_have_is_named(frequency: str, found: str) -> None:
    with pytest.raises(InvalidBarsError, match=f"bars of {found} are not an interval"):
        find_interval(stamps("2024-01-01", 90, frequency), "")


def test_two_bars_do_not_tell_an_interval() -> None:
    with pytest.raises(InvalidBarsError, match="so few bars"):
        find_interval(stamps("2024-01-01", 2, "1h"), "")


@pytest.mark.slow
def test_the_zones_of_the_candidates_are_those_of_their_calendars() -> None:
    for calendar, zone in CANDIDATES.items():
        if calendar in ("XSAU", "XTAE"):
            continue  # Their calendars need dates of their own.
        noon = pd.Timestamp("2024-07-01 12:00", tz="UTC")
        own = noon.tz_convert(exchange_timezone(calendar))
        assert noon.tz_convert(zone).utcoffset() == own.utcoffset(), calendar


def test_every_exchange_among_the_candidates_has_hours() -> None:
    for calendar in CANDIDATES:
        hours = usual_hours(calendar)
        if calendar in (WEEKDAYS, FUTURES):
            assert hours is None
        else:
            assert hours is not None
            assert 0 < hours[0] < hours[1] < 24 * 60


def hours_of(calendar: str, zone: str, *, days: int = 120) -> BarTimes:
    """Half hours of an exchange in the wall time of a zone."""
    last = pd.Timestamp("2024-06-28")
    table = trading_schedule(calendar, last - pd.Timedelta(days=days), last)
    spans = []
    for row in table.itertuples():
        has_break = not pd.isna(row.break_start)
        parts = (
            [(row.open, row.break_start), (row.break_end, row.close)]
            if has_break
            else [(row.open, row.close)]
        )
        spans += [pd.date_range(a, b, freq="30min", inclusive="left") for a, b in parts]
    utc = pd.Series(spans[0].append(spans[1:]))
    local = utc.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")
    return BarTimes(local, "30m", is_local=True)


@pytest.mark.parametrize("calendar", ["XNYS", "XLON", "XTKS", "XHKG", "XSHG", "XASX", "XBOM"])
def test_hours_in_the_wall_time_of_an_exchange_tell_exchange_and_zone(calendar: str) -> None:
    zone = CANDIDATES[calendar]
    guess = guess_calendar(hours_of(calendar, zone), None)
    assert (guess.calendar, guess.timezone, guess.is_certain) == (calendar, zone, True)


def test_hours_in_utc_need_no_other_zone() -> None:
    guess = guess_calendar(hours_of("XNYS", "UTC"), None)
    assert (guess.calendar, guess.timezone) == ("XNYS", "UTC")


def test_exchanges_with_the_same_hours_and_holidays_are_all_named() -> None:
    guess = guess_calendar(hours_of("XPAR", "Europe/Paris"), None)
    assert {guess.calendar, *guess.others} >= {"XPAR", "XAMS", "XBRU"}


@pytest.mark.parametrize(
    ("calendar", "zone"),
    [("XNYS", "America/New_York"), ("XSHG", "Asia/Shanghai"), ("XLON", "Europe/London")],
)
def test_days_at_local_midnight_tell_their_exchange_and_zone(calendar: str, zone: str) -> None:
    days = trading_schedule(calendar, pd.Timestamp("2022-01-01"), pd.Timestamp("2023-12-31")).index
    midnights = pd.Series(pd.DatetimeIndex(days).tz_localize(zone).tz_convert("UTC"))
    guess = guess_calendar(BarTimes(midnights, "1d", is_local=False), None)
    assert (guess.calendar, guess.timezone) == (calendar, zone)


def test_days_of_a_market_without_closing_times_may_have_any_time_of_day() -> None:
    ends = stamps("2024-01-01 23:59:59", 90, "1D")
    guess = guess_calendar(BarTimes(ends, "1d", is_local=True), None)
    assert (guess.calendar, guess.timezone) == ("24/7", "UTC")
    seoul = stamps("2024-01-01 15:00", 90, "1D")
    guess = guess_calendar(BarTimes(seoul, "1d", is_local=False), None)
    assert (guess.calendar, guess.timezone) == ("24/7", "Asia/Seoul")

from __future__ import annotations

import pandas as pd
import pytest

from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.quality import CheckSettings, check_bars
from engine.data.sessions import DayBegin
from tests.data.quality.tables import plain


def test_bars_of_every_source_have_the_same_columns_and_types():
    raw = plain(3)[["close", "low", "open", "timestamp", "high", "volume"]]
    raw["extra"] = "text"
    raw["volume"] = raw["volume"].astype("int64")
    bars = normalise_bars(raw, "X")
    assert list(bars) == ["timestamp", "symbol", "open", "high", "low", "close", "volume"]
    assert str(bars["timestamp"].dtype) == "datetime64[us, UTC]"
    assert {str(bars[column].dtype) for column in list(bars)[2:]} == {"float64"}
    assert set(bars["symbol"]) == {"X"}


def test_event_columns_stay_until_the_rules_have_used_them():
    raw = plain(3).assign(split=0, adj_close=11)
    assert list(normalise_bars(raw, "X"))[7:] == ["adj_close", "split"]
    assert (
        list(
            check_bars(normalise_bars(raw, "X"), CheckSettings("1d", raw["timestamp"].max())).bars
        )[7:]
        == []
    )


def test_timestamps_of_another_zone_become_utc():
    raw = plain(2)
    raw["timestamp"] = raw["timestamp"].dt.tz_localize("America/New_York")
    assert normalise_bars(raw, "X")["timestamp"].iloc[0] == pd.Timestamp(
        "2020-01-01 05:00", tz="UTC"
    )


def test_the_newest_bar_is_dropped_until_it_has_ended():
    bars = normalise_bars(plain(3), "X")
    last_open = bars["timestamp"].iloc[-1]
    over = last_open + pd.Timedelta(days=1)
    assert len(drop_unfinished_bars(bars, TradingTimes("1d"), over)) == 3
    assert len(drop_unfinished_bars(bars, TradingTimes("1d"), over - pd.Timedelta(seconds=1))) == 2


@pytest.mark.parametrize(("ahead_s", "kept"), [(0, 9), (1, 8), (59, 8), (61, 7), (299, 4)])
def test_bars_that_ended_by_the_clock_of_the_server_alone_are_not_handed_out(ahead_s, kept):
    """The server sends ten minutes, the last of which has just begun by its clock."""
    raw = plain(10)
    raw["timestamp"] = pd.date_range("2024-01-01", periods=10, freq="min", tz="UTC")
    bars = normalise_bars(raw, "X")
    now = bars["timestamp"].iloc[-1] - pd.Timedelta(seconds=ahead_s)
    finished = drop_unfinished_bars(bars, TradingTimes("1m"), now)
    assert len(finished) == kept
    found = check_bars(finished, CheckSettings("1m", now)).errors
    assert [one for one in found if one.rule == "future"] == []


def test_a_second_unfinished_bar_is_a_finding():
    now = pd.Timestamp("2020-01-03", tz="UTC")
    raw = pd.concat([plain(3), plain(1, first="2020-01-02 12:00")], ignore_index=True)
    bars = drop_unfinished_bars(normalise_bars(raw, "X"), TradingTimes("1d"), now)
    future = [
        one for one in check_bars(bars, CheckSettings("1d", now)).errors if one.rule == "future"
    ]
    assert [one.count for one in future] == [1]
    assert "clock" in future[0].advice


@pytest.mark.parametrize("newest", ["2020-01-04", "2020-02-01", "2099-01-01", "2262-01-01"])
def test_a_bar_that_has_not_begun_is_a_finding_and_not_dropped(newest):
    now = pd.Timestamp("2020-01-03 18:00", tz="UTC")
    raw = pd.concat([plain(2), plain(1, first=newest)], ignore_index=True)
    bars = drop_unfinished_bars(normalise_bars(raw, "X"), TradingTimes("1d"), now)
    found = [
        one for one in check_bars(bars, CheckSettings("1d", now)).errors if one.rule == "future"
    ]
    assert [(one.count, one.first) for one in found] == [(1, newest)]


@pytest.mark.parametrize(
    ("calendar", "day_begins", "interval", "dropped"),
    [
        ("24/7", None, "1d", False),
        ("24/7", "17:00 America/New_York", "1d", True),
        ("XTKS", None, "1d", True),
        ("24/5", None, "1w", True),
        ("XTKS", None, "4h", True),
        ("XTKS", None, "1h", False),
    ],
)
def test_a_day_that_is_labelled_by_the_next_date_has_begun(
    calendar, day_begins, interval, dropped
):
    now = pd.Timestamp("2020-01-02 21:30", tz="UTC")
    bars = normalise_bars(plain(3), "X")
    begin = None if day_begins is None else DayBegin.parse(day_begins)
    kept = drop_unfinished_bars(bars, TradingTimes(interval, calendar, begin), now)
    assert len(kept) == (2 if dropped else 3)

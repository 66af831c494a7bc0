"""The sessions of all calendars, against a table made where pandas steps them rightly."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from engine.data.calendar import trading_schedule
from engine.data.exchange_definitions import build_calendar
from scripts.calendar_table import LAST, describe

TABLE = json.loads(Path(__file__).with_name("calendar_table.json").read_text(encoding="utf-8"))

# Calendars of which exchange-calendars loses sessions, or that it cannot build, under pandas 3.1.
AFFECTED = ("XBOM", "XMOS", "XKRX", "XTAE", "ASEX", "XBEL", "XBSE", "XCYS")
LATE = ("XSAU", "AIXK", "XTKS", "24/5", "XNYS")


def test_the_table_has_every_calendar_of_the_library():
    import exchange_calendars

    names = exchange_calendars.get_calendar_names(include_aliases=False)
    assert sorted(TABLE) == sorted(names)


@pytest.mark.parametrize(
    "name",
    [
        name if name in (*AFFECTED, *LATE) else pytest.param(name, marks=pytest.mark.slow)
        for name in TABLE
        if name != "CMES"
    ],
)
def test_a_calendar_has_the_sessions_and_hours_of_the_table(name):
    assert describe(build_calendar(name).schedule.loc[:LAST]) == TABLE[name]


def test_sessions_of_chicago_end_with_the_daily_halt():
    schedule = build_calendar("CMES").schedule.loc[:LAST].copy()
    close = schedule["close"].dt.tz_convert("America/Chicago")
    assert set(close.dt.hour) == {12, 16}
    schedule.loc[close.dt.hour == 16, "close"] += pd.Timedelta(hours=1)
    assert describe(schedule) == TABLE["CMES"]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("XBOM", "2024-01-20"),
        ("XBOM", "2025-02-01"),
        ("XMOS", "2024-04-27"),
        ("XKRX", "1998-12-05"),
        ("XTAE", "2025-01-05"),
    ],
)
def test_trading_on_a_weekend_is_a_session(name, day):
    stamp = pd.Timestamp(day)
    assert stamp.weekday() >= 5
    assert list(trading_schedule(name, stamp, stamp).index) == [stamp]


def test_an_exchange_is_closed_on_its_orthodox_easter():
    stamp = pd.Timestamp("2024-05-06")
    assert trading_schedule("ASEX", stamp, stamp).empty
    assert len(trading_schedule("XETR", stamp, stamp)) == 1

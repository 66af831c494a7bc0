"""The one rule that assigns a bar to its session, and days that a dataset defines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.bar_grid import next_bar_labels
from engine.data.sessions import DAY_US, DayBegin, Sessions, index_to_microseconds, label_days

HOUR_US = DAY_US // 24


def micro(*texts):
    return index_to_microseconds(pd.DatetimeIndex(texts))


def dates(days):
    return [f"{pd.Timestamp(day, unit='us'):%m-%d}" for day in days]


def located(calendar, stamps, length, day_begins=None):
    """The dates of the sessions of bars; `-` where there is none."""
    opens = micro(*stamps)
    sessions = Sessions.known_around(calendar, int(opens[0]), int(opens[-1]), day_begins)
    found = sessions.locate_bars(opens, length)
    return ["-" if one < 0 else dates(sessions.days[[one]])[0] for one in found]


@pytest.mark.parametrize(
    ("calendar", "stamp", "session"),
    [
        ("XNYS", "2024-03-08 14:30", "03-08"),
        ("XNYS", "2024-03-08 09:00", "03-08"),  # before the open
        ("XNYS", "2024-03-09 00:30", "03-08"),  # after the close, a day later in UTC
        ("XNYS", "2024-03-10 23:00", "-"),  # a Sunday evening
        ("CMES", "2024-03-10 22:00", "03-11"),  # the same, where Monday begins
        ("CMES", "2024-03-08 21:00", "03-08"),
        ("CMES", "2024-03-09 12:00", "-"),
        ("XTKS", "2024-03-08 03:00", "03-08"),  # in the break
        ("XASX", "2024-03-07 23:00", "03-08"),
    ],
)
def test_an_hour_belongs_to_the_session_that_it_trades_in(calendar, stamp, session):
    assert located(calendar, [stamp], HOUR_US) == [session]


@pytest.mark.parametrize(
    ("calendar", "stamp", "session"),
    [
        ("XNYS", "2024-03-08", "03-08"),
        ("XNYS", "2024-03-08 05:00", "03-08"),
        ("XNYS", "2024-03-08 14:30", "03-08"),
        ("XSHG", "2024-03-07 16:00", "03-08"),  # midnight of Shanghai
        ("XSHG", "2024-03-10 16:00", "03-11"),
        ("CMES", "2024-03-10 22:00", "03-11"),
        ("CMES", "2024-03-11", "03-11"),
        ("XLON", "2024-06-02 23:00", "06-03"),
        ("XNYS", "2024-03-09", "-"),
    ],
)
def test_a_day_belongs_to_its_date_or_to_the_session_at_its_time(calendar, stamp, session):
    assert located(calendar, [stamp], DAY_US) == [session]


def test_half_days_and_changes_of_clocks_are_in_the_calendar():
    sessions = Sessions.known_around("XNYS", *micro("2024-11-01", "2024-12-01"))
    hours = (sessions.closes - sessions.opens) / HOUR_US
    assert set(hours) == {6.5, 3.5}
    assert {int(time // HOUR_US) % 24 for time in sessions.opens} == {13, 14}


def test_trading_time_stands_still_in_breaks_and_at_night():
    sessions = Sessions.known_around("XTKS", *micro("2024-03-08", "2024-03-08"))
    times = sessions.trading_time(
        micro("2024-03-08 02:30", "2024-03-08 03:30", "2024-03-08 06:00", "2024-03-10 12:00")
    )
    assert np.diff(times).tolist() == [0, 2.5 * HOUR_US, 0]


def test_nothing_is_known_before_the_calendar_begins():
    sessions = Sessions.known_around("XTKS", *micro("1980-01-01", "1981-01-01"))
    assert sessions.days.size == 0
    assert sessions.locate_bars(micro("1980-06-01"), DAY_US).tolist() == [-1]


@pytest.mark.parametrize(
    ("calendar", "last", "following"),
    [
        ("XNYS", "2024-03-08", ["03-11", "03-12"]),
        ("XNYS", "2024-03-08 05:00", ["03-11", "03-12"]),
        # Monday of Shanghai, whose label lies on Sunday in UTC.
        ("XSHG", "2024-03-10 16:00", ["03-12", "03-13"]),
    ],
)
def test_the_bars_after_a_day_are_those_of_the_next_sessions(calendar, last, following):
    labels = next_bar_labels(pd.Timestamp(last, tz="UTC"), "1d", calendar, 2)
    assert list(labels.dt.strftime("%m-%d")) == following


class TestDayBegin:
    @pytest.mark.parametrize(
        ("text", "date", "begins"),
        [
            ("17:00 America/New_York", "2024-03-11", "2024-03-10 21:00"),  # the evening before
            ("17:00 America/New_York", "2024-03-08", "2024-03-07 22:00"),
            ("00:00 Asia/Seoul", "2024-03-08", "2024-03-07 15:00"),
            ("16:00 UTC", "2024-03-08", "2024-03-07 16:00"),
            ("08:00 Asia/Shanghai", "2024-03-08", "2024-03-08 00:00"),
            ("02:30 Europe/Berlin", "2024-03-31", "2024-03-31 01:00"),  # a time that was skipped
        ],
    )
    def test_a_day_begins_at_its_time(self, text, date, begins):
        day = DayBegin.parse(text)
        assert day.begins(micro(date)).tolist() == micro(begins).tolist()
        assert str(day) == text

    @pytest.mark.parametrize("text", ["17:00", "5pm America/New_York", "25:00 UTC", "17:00 Mars"])
    def test_another_form_is_an_error(self, text):
        with pytest.raises(ValueError, match="17:00 America/New_York"):
            DayBegin.parse(text)

    def test_days_near_their_beginning_become_dates(self):
        day = DayBegin.parse("17:00 America/New_York")
        stamps = micro(
            "2024-03-07 22:00",
            "2024-03-10 21:00",
            "2024-03-11",
            "2024-03-12 20:00",
            "2024-03-13 12:00",
        )
        labels = label_days(stamps, day, 2 * HOUR_US)
        assert dates(labels) == ["03-08", "03-11", "03-11", "03-13", "03-13"]
        assert labels[-1] == stamps[-1]  # not near a beginning: left for the rules to find

    def test_weekdays_alone_have_sessions_on_24_5(self):
        day = DayBegin.parse("17:00 America/New_York")
        hours = ["2024-03-08 21:00", "2024-03-08 22:30", "2024-03-10 20:00", "2024-03-10 21:00"]
        assert located("24/5", hours, HOUR_US, day) == ["03-08", "03-08", "-", "03-11"]
        assert located("24/7", hours, HOUR_US, day) == ["03-08", "03-09", "03-10", "03-11"]

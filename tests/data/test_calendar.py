from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.data.calendar import (
    begins_late,
    holidays_known_from,
    periods_per_year,
    session_days,
    sessions_known_until,
    trading_schedule,
)


@pytest.mark.parametrize(
    ("calendar", "interval", "periods"),
    [
        ("24/7", "1d", 365),
        ("24/7", "1h", 365 * 24),
        ("24/7", "1m", 365 * 1440),
        ("24/7", "1w", 365 / 7),
        ("XNYS", "1d", 252),
        ("XNYS", "1w", 365 / 7),
        ("XNYS", "1h", 252 * 7),
        ("XNYS", "4h", 252 * 2),
        ("XNYS", "30m", 252 * 13),
        ("XNYS", "1m", 252 * 390),
        ("XLON", "1d", 253),
        ("24/5", "1d", 261),
        ("24/5", "1h", 261 * 24),
        ("CMES", "1h", 258 * 23),
        ("XSAU", "1d", 249),
        ("AIXK", "1d", 244),
        ("24/7", "1mo", 12),
        ("XNYS", "1mo", 12),
        ("24/5", "1mo", 12),
    ],
)
def test_a_year_has_as_many_bars_as_its_calendar_is_open(calendar, interval, periods):
    assert periods_per_year(calendar, interval) == pytest.approx(periods)


def test_a_lunch_break_has_no_bars():
    # Hong Kong: 9:30 to 12:00 and 13:00 to 16:00.
    assert periods_per_year("XHKG", "30m") / periods_per_year("XHKG", "1d") == 5 + 6


@pytest.mark.parametrize(
    ("first", "last", "bars"),
    [("2023-01-04", "2023-12-29", 10), ("2024-11-05", "2025-12-30", 11)],
)
def test_hours_are_those_of_the_bars_own_span(first, last, bars):
    # Tokyo closes at 15:30 instead of 15:00 since 2024-11-05.
    span = utc(first), utc(last)
    assert periods_per_year("XTKS", "30m", span) == 245 * bars


def test_hours_that_change_within_the_span_are_averaged():
    days = trading_schedule("XTKS", utc("2023-11-06"), utc("2025-11-04")).index
    late = (days >= "2024-11-05").mean()
    found = periods_per_year("XTKS", "30m", (utc("2023-11-06"), utc("2025-11-04")))
    assert found == pytest.approx(245 * (10 * (1 - late) + 11 * late))


@pytest.mark.parametrize(
    ("first", "last"), [("2024-11-25", "2024-11-29"), ("2015-01-02", "2026-10-30")]
)
def test_half_days_count_as_whole_ones(first, last):
    assert periods_per_year("XNYS", "1h", (utc(first), utc(last))) == 252 * 7


def test_days_that_are_short_every_week_count_as_short():
    # Tel Aviv: until 2026 from 9:59 to 17:15, on Sundays to 15:40.
    span = utc("2024-01-07"), utc("2024-03-07")
    assert periods_per_year("XTAE", "1h", span) / periods_per_year("XTAE", "1d") == pytest.approx(
        (4 * 8 + 6) / 5, rel=0.01
    )


def test_bars_by_the_clock_cover_the_hours_that_they_touch():
    span = utc("2024-12-02"), utc("2025-06-30")
    assert periods_per_year("XTKS", "1h", span) == 245 * 6
    assert periods_per_year("XTKS", "1h", span, by_clock=True) == 245 * 7


class TestKnownDays:
    @pytest.mark.parametrize(
        ("calendar", "first", "late"),
        [
            ("XNYS", "1970-01-02", False),
            ("XTKS", "1997-01-06", True),
            ("AIXK", "2017-01-04", True),
            ("XSAU", "2021-01-03", True),
            ("24/5", "1970-01-01", False),
        ],
    )
    def test_a_calendar_knows_its_sessions_from_a_day_on(self, calendar, first, late):
        assert holidays_known_from(calendar) == utc(first)
        assert begins_late(calendar) == late

    @pytest.mark.parametrize("calendar", ["XSHG", "XSES", "XBOM"])
    def test_a_calendar_ends_with_the_last_announced_year(self, calendar):
        end = sessions_known_until(calendar)
        assert (end.month, end.day) == (12, 31)
        assert trading_schedule(calendar, end, end + pd.Timedelta(days=60)).shape[0] <= 1

    def test_unknown_days_have_no_sessions(self):
        table = trading_schedule("XSAU", utc("2019-06-01"), utc("2021-01-05"))
        assert table.index[0] == pd.Timestamp("2021-01-03")
        assert trading_schedule("XSAU", utc("2015-06-01"), utc("2016-01-05")).empty

    def test_sessions_before_1970_are_known_without_all_holidays(self):
        assert len(trading_schedule("XNYS", utc("1969-06-02"), utc("1969-06-06"))) == 5
        assert len(trading_schedule("XHKG", utc("1955-06-01"), utc("1960-01-08"))) == 6
        days = session_days("XNYS", -365, 10)
        assert days[0] == 1


@pytest.mark.parametrize("interval", ["1d", "1w"])
def test_an_unknown_calendar_is_an_error_with_a_suggestion(interval):
    with pytest.raises(UsageError, match="XNYS"):
        periods_per_year("XNYZ", interval)


def utc(day):
    return pd.Timestamp(day, tz="UTC")

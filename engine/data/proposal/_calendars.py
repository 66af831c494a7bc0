"""Finds the calendar and the time zone of bars by comparing them with the hours of exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.calendar import ALWAYS_OPEN, is_daily_or_longer
from engine.data.proposal._calendar_guess import CalendarGuess, assumed_zone
from engine.data.proposal._days import find_day_zone, guess_days, guess_long_bars
from engine.data.proposal._hours import guess_hours
from engine.data.proposal._weekdays import guess_weekdays, is_around_the_clock

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.proposal._calendar_guess import BarTimes

# A share of all bars: a seventh lies on each day of a week of seven, a few on special Saturdays.
_MIN_WEEKEND_SHARE = 0.08


def guess_calendar(times: BarTimes, given: str | None) -> CalendarGuess:
    """The calendar that bars fit best.

    Bars on Saturdays and Sundays are those of a market without closing times. Days are compared
    with the sessions of exchanges, shorter bars with their hours, read as UTC and in the zone of
    the exchange.

    Args:
        times: The bars.
        given: The calendar that the user names; then only the zone is found.

    Raises:
        UsageError: There is no calendar of the name that is given.
    """
    if is_daily_or_longer(times.interval) and times.interval != "1d":
        return guess_long_bars(times, given)
    always = _reason_for_always(times, given)
    if always:
        return _always_open(times, always)
    if is_daily_or_longer(times.interval):
        return guess_days(times, given)
    if given is None and is_around_the_clock(times.stamps):
        return guess_weekdays(times)
    return guess_hours(times, given)


def _reason_for_always(times: BarTimes, given: str | None) -> str:
    """Why the market of the bars is always open; empty where it is not."""
    if given is not None:
        return "as given" if given == ALWAYS_OPEN else ""
    if times.calendar == ALWAYS_OPEN:
        return "what files of this form hold is always traded"
    return "bars on Saturdays and Sundays" if _has_weekends(times.stamps) else ""


def _always_open(times: BarTimes, reason: str) -> CalendarGuess:
    daily = is_daily_or_longer(times.interval)
    zone, why = find_day_zone(times) if daily else assumed_zone(times)
    return CalendarGuess(ALWAYS_OPEN, reason, zone, why)


def _has_weekends(stamps: pd.Series) -> bool:
    weekday = stamps.dt.day_of_week
    return bool(min((weekday == 5).mean(), (weekday == 6).mean()) >= _MIN_WEEKEND_SHARE)

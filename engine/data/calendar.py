"""Bar intervals and trading calendars."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.exchange_definitions import Untyped, build_calendar, known_span, list_closures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    import numpy.typing as npt

ALWAYS_OPEN = "24/7"

# The leap day is left out on both kinds of calendar: 365 is what crypto desks annualise with, as
# 252 is for New York. With 365.25 a Sharpe ratio would differ by 0.03 %.
DAYS_PER_YEAR = 365

BarInterval = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"]

MONTH = "1mo"
MONTHS_PER_YEAR = 12.0

INTERVAL_LENGTHS: dict[str, pd.Timedelta] = {
    "1m": pd.Timedelta(minutes=1),
    "5m": pd.Timedelta(minutes=5),
    "15m": pd.Timedelta(minutes=15),
    "30m": pd.Timedelta(minutes=30),
    "1h": pd.Timedelta(hours=1),
    "4h": pd.Timedelta(hours=4),
    "1d": pd.Timedelta(days=1),
    "1w": pd.Timedelta(weeks=1),
}
"""Lengths of the bars that have one; `engine.data.intervals` says where months begin and end."""

_SHORTEST_MONTH = pd.Timedelta(days=28)

# Sessions are counted over complete years that lie in the past, so that the same data has the same
# periods per year whenever it is run: these twenty, or the first five of a younger calendar.
_COUNTED_YEARS, _COUNTED_YEARS_OF_LATE_CALENDARS = (2000, 2019), 5

# exchange-calendars does not know all earlier holidays: of 1962-1969 it lacks 68 of New York.
_HOLIDAYS_KNOWN_FROM = 1970

# The regular hours of a session are those that most sessions of its weekday have around it, five
# before it and five after it: half days count as whole ones.
_SESSIONS_AROUND = 5


def interval_length(interval: str) -> pd.Timedelta:
    """Length of one bar; of a month, that of the shortest."""
    return _SHORTEST_MONTH if interval == MONTH else INTERVAL_LENGTHS[interval]


def is_daily_or_longer(interval: BarInterval) -> bool:
    """Whether bars are labelled by a date rather than by an instant within a day."""
    return interval_length(interval) >= pd.Timedelta(days=1)


def is_longer_than_a_day(interval: str) -> bool:
    """Whether a bar holds several days."""
    return interval_length(interval) > pd.Timedelta(days=1)


def periods_per_year(
    calendar: str,
    interval: BarInterval,
    span: tuple[pd.Timestamp, pd.Timestamp] | None = None,
    *,
    by_clock: bool = False,
) -> float:
    """Bars a year by a calendar, by which returns are annualised.

    On `24/7` a year has 365 days. On an exchange's calendar it has the sessions an average year of
    2000-2019 had, rounded (XNYS: 252; of a calendar that begins later, an average one of its first
    five years), and a session has as many bars as cover its regular hours of the span, without a
    lunch break (XNYS: 7 of `1h`). A year has 365 / 7 weeks on both, and twelve months.

    Args:
        calendar: `24/7` or a code of exchange-calendars.
        interval: Length of a bar.
        span: First and last bar; the hours are those of 2019 where it is None or before all known
            sessions.
        by_clock: Whether bars begin at multiples of their length from midnight UTC, instead of at
            the open of a session: Tokyo's six hours from 9:00, 10:00, 11:00, 12:30, 13:30 and
            14:30 lie in seven hours of the clock.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    require_known_calendar(calendar)
    if interval == MONTH:
        return MONTHS_PER_YEAR
    length = interval_length(interval)
    if calendar == ALWAYS_OPEN or interval == "1w":
        return DAYS_PER_YEAR * (pd.Timedelta(days=1) / length)
    sessions = _sessions_per_year(calendar)
    if interval == "1d":
        return sessions
    return sessions * _bars_per_session(calendar, length, span, by_clock=by_clock)


def _sessions_per_year(calendar: str) -> float:
    first, last = _counted_years(calendar)
    days = _load_calendar(calendar).sessions
    return float(round(((days.year >= first) & (days.year <= last)).sum() / (last - first + 1)))


def days_per_year(calendars: Sequence[str], *, shared: bool = False) -> int:
    """Days a year on which one of several exchanges is open, rounded; see `periods_per_year`.

    Args:
        calendars: `24/7` or codes of exchange-calendars.
        shared: Whether to count the days on which all of them are open instead.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    for calendar in calendars:
        require_known_calendar(calendar)
    exchanges = [calendar for calendar in calendars if calendar != ALWAYS_OPEN]
    if not exchanges or (len(exchanges) < len(calendars) and not shared):
        return DAYS_PER_YEAR
    years = [_counted_years(calendar) for calendar in exchanges]
    first, last = max(each[0] for each in years), max(each[1] for each in years)
    days = [set(_load_calendar(calendar).sessions) for calendar in exchanges]
    counted = set.intersection(*days) if shared else set.union(*days)
    years_counted = last - first + 1
    return int(np.round(sum(first <= day.year <= last for day in counted) / years_counted))


def _counted_years(calendar: str) -> tuple[int, int]:
    first, last = _COUNTED_YEARS
    begin = known_span(calendar)[0]
    if begin.year <= first:
        return first, last
    begin_year = begin.year if begin.day_of_year == 1 else begin.year + 1
    return begin_year, begin_year + _COUNTED_YEARS_OF_LATE_CALENDARS - 1


def _bars_per_session(
    calendar: str,
    length: pd.Timedelta,
    span: tuple[pd.Timestamp, pd.Timestamp] | None,
    *,
    by_clock: bool,
) -> float:
    """Bars that cover the regular hours of a session, the mean over the sessions of a span."""
    schedule = _load_calendar(calendar).schedule
    counts = pd.Series(
        _count_bars(schedule, length, by_clock=by_clock), index=schedule.index, dtype=float
    )
    regular = counts.groupby(schedule.index.day_of_week).transform(
        lambda own: own.rolling(2 * _SESSIONS_AROUND + 1, center=True, min_periods=1).median()
    )
    days = () if span is None else (f"{stamp:%Y-%m-%d}" for stamp in span)
    inside = regular.loc[slice(*days)] if span else regular.iloc[:0]
    if inside.empty:
        year = str(_counted_years(calendar)[1])
        inside = regular.loc[year:year]
    return float(inside.mean())


def _count_bars(
    schedule: pd.DataFrame, length: pd.Timedelta, *, by_clock: bool
) -> npt.NDArray[np.int64]:
    """Bars that cover the hours of each session; a lunch break has none."""
    opens, pauses, ends, closes = (
        pd.DatetimeIndex(schedule[name]) for name in ("open", "break_start", "break_end", "close")
    )

    def count(begins: pd.DatetimeIndex, until: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
        start = begins.floor(length) if by_clock else begins
        return np.asarray(-((start - until) // length))

    whole, has_break = count(opens, closes), np.asarray(pauses.notna())
    if has_break.any():
        halves = count(opens[has_break], pauses[has_break])
        whole[has_break] = halves + count(ends[has_break], closes[has_break])
    return whole


def require_known_calendar(calendar: str) -> None:
    """Raises on a calendar that does not exist.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    if calendar == ALWAYS_OPEN:
        return
    import exchange_calendars

    names = exchange_calendars.get_calendar_names()
    if calendar not in names:
        close = difflib.get_close_matches(calendar.upper(), names, n=1)
        raise UsageError(
            "the dataset names a calendar that does not exist",
            expected=f"{ALWAYS_OPEN}, or a code of exchange-calendars such as XNYS",
            found=calendar,
            where="calendar",
            fix=f"did you mean {close[0]}?" if close else "name one of those",
        )


def holidays_known_from(calendar: str) -> pd.Timestamp:
    """The first session from which on all holidays of an exchange are known, at midnight UTC.

    It is of 1970, or later where the calendar begins later.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    return pd.Timestamp(_load_calendar(calendar).first_session).tz_localize("UTC")


def sessions_known_until(calendar: str) -> pd.Timestamp:
    """The last day whose sessions are known, at midnight UTC: about a year from now.

    It is earlier where the holidays of the next year are not announced yet: those of Shanghai,
    Singapore and Mumbai end with the last announced year.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    require_known_calendar(calendar)
    return pd.Timestamp(known_span(calendar)[1]).tz_localize("UTC")


def session_days(calendar: str, first: int, last: int) -> npt.NDArray[np.int64]:
    """The days from first to last on which an exchange was open, days since 1970, ascending.

    Those before `holidays_known_from` are left out.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    days = _load_calendar(calendar).sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.asarray(days[(days >= first) & (days <= last)])


def unforeseen_closures(calendar: str) -> pd.DatetimeIndex:
    """The days on which an exchange stayed closed and which were not known long before, UTC.

    They are those that a calendar lists one by one, where these are few: New York after 11
    September 2001. Calendars that list many have holidays of the moon there, which are announced.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    if calendar == ALWAYS_OPEN:
        return pd.DatetimeIndex([], tz="UTC")
    require_known_calendar(calendar)
    days = list_closures(calendar)
    first, last = _COUNTED_YEARS
    counted = ((days.year >= first) & (days.year <= last) & (days.day_of_week < 5)).sum()
    return days if counted <= last - first + 1 else days[:0]


def exchange_timezone(calendar: str) -> tzinfo:
    """The time zone of an exchange."""
    zone: tzinfo = _load_calendar(calendar).tz
    return zone


def trading_schedule(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> Untyped:
    """Sessions of an exchange: a row a day, columns open, break_start, break_end and close in UTC.

    Days that the calendar does not know have no rows: those after `sessions_known_until`, and,
    where `begins_late`, those before `holidays_known_from`. On the days before 1970 not all
    holidays are known.

    Args:
        calendar: A code of exchange-calendars.
        first: Day, inclusive.
        last: Day, inclusive.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    early = first.year < _HOLIDAYS_KNOWN_FROM and not begins_late(calendar)
    known = build_calendar(calendar, f"{first.year}-01-01") if early else _load_calendar(calendar)
    return known.schedule.loc[f"{first:%Y-%m-%d}" : f"{last:%Y-%m-%d}"]


def begins_late(calendar: str) -> bool:
    """Whether a calendar has no sessions before `holidays_known_from`, rather than uncertain ones.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    require_known_calendar(calendar)
    return bool(known_span(calendar)[0].year > _HOLIDAYS_KNOWN_FROM)


def _load_calendar(calendar: str) -> Untyped:
    require_known_calendar(calendar)
    return build_calendar(calendar)

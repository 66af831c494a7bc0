"""Bar intervals, trading calendars, and the number of bars a year."""

from __future__ import annotations

import difflib
import math
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.core.errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

ALWAYS_OPEN = "24/7"

BarInterval = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]

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

# The leap day is left out on both kinds of calendar: 365 is what crypto desks annualise with, as
# 252 is for New York. With 365.25 a Sharpe ratio would differ by 0.03 %.
DAYS_PER_YEAR = 365

# Sessions are counted over twenty complete years that lie in the past, so that the same data has
# the same periods per year whenever it is run.
_SESSION_COUNT_START, _SESSION_COUNT_END, _SESSION_COUNT_YEARS = "2000-01-01", "2019-12-31", 20

# exchange-calendars does not know all earlier holidays: of 1962-1969 it lacks 68 of New York.
_HOLIDAYS_KNOWN_FROM = "1970-01-01"


def interval_length(interval: BarInterval) -> pd.Timedelta:
    """Length of one bar."""
    return INTERVAL_LENGTHS[interval]


def is_daily_or_longer(interval: BarInterval) -> bool:
    """Whether bars are labelled by a date rather than by an instant within a day."""
    return INTERVAL_LENGTHS[interval] >= pd.Timedelta(days=1)


def periods_per_year(calendar: str, interval: BarInterval) -> float:
    """Bars a year, by which returns are annualised.

    On `24/7` a year has 365 days. On an exchange's calendar it has the sessions an average year
    of 2000-2019 had, rounded (XNYS: 252), and a session has as many bars as are needed to cover
    its usual opening hours of 2019, a lunch break taken out (XNYS: 7 of `1h`). A week is a week
    on both.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    length = interval_length(interval)
    if calendar == ALWAYS_OPEN or interval == "1w":
        require_known_calendar(calendar)
        return DAYS_PER_YEAR * (pd.Timedelta(days=1) / length)
    table = trading_schedule(
        calendar, pd.Timestamp(_SESSION_COUNT_START), pd.Timestamp(_SESSION_COUNT_END)
    )
    sessions = float(round(len(table) / _SESSION_COUNT_YEARS))
    if interval == "1d":
        return sessions
    hours = _median_session_lengths(table.iloc[-int(sessions) :])
    return sessions * sum(math.ceil(part / length) for part in hours)


def _median_session_lengths(schedule: pd.DataFrame) -> list[pd.Timedelta]:
    """Median length of a session, or of its two halves where most sessions have a break."""
    if schedule["break_start"].notna().mean() > 0.5:
        morning = schedule["break_start"] - schedule["open"]
        afternoon = schedule["close"] - schedule["break_end"]
        return [pd.Timedelta(morning.median()), pd.Timedelta(afternoon.median())]
    return [pd.Timedelta((schedule["close"] - schedule["open"]).median())]


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

    It is of 1970, or of 2000 where the calendar begins later.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    return pd.Timestamp(_load_calendar(calendar).first_session).tz_localize("UTC")


def session_days(calendar: str, first: int, last: int) -> npt.NDArray[np.int64]:
    """The days from first to last on which an exchange was open, days since 1970, ascending.

    Those before `holidays_known_from` are left out.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    days = _load_calendar(calendar).sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.asarray(days[(days >= first) & (days <= last)])


def exchange_timezone(calendar: str) -> Any:  # noqa: ANN401 - exchange-calendars ships no types
    """The time zone of an exchange."""
    return _load_calendar(calendar).tz


def trading_schedule(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> Any:  # noqa: ANN401 - exchange-calendars ships no types
    """Sessions of an exchange: a row a day, columns open, break_start, break_end and close in UTC.

    Args:
        calendar: A code of exchange-calendars.
        first: Day, inclusive.
        last: Day, inclusive.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name, or not for these days.
    """
    require_known_calendar(calendar)
    reason = ""
    # Some calendars begin within a year. The long ones are tried first: every caller shares them.
    for start in (
        _HOLIDAYS_KNOWN_FROM,
        _SESSION_COUNT_START,
        f"{first.year}-01-01",
        f"{first:%Y-%m-%d}",
    ):
        if f"{first:%Y-%m-%d}" >= start:
            try:
                table = _build_calendar(calendar, start).schedule
            except ValueError as error:
                reason = " ".join(str(error).split())
            else:
                return table.loc[f"{first:%Y-%m-%d}" : f"{last:%Y-%m-%d}"]
    raise UsageError(
        f"the calendar {calendar} does not cover these bars",
        expected=f"sessions from {first:%Y-%m-%d} on",
        found=reason,
        where="calendar",
        fix="give the dataset a later `start`, or another calendar",
    )


def _load_calendar(calendar: str) -> Any:  # noqa: ANN401 - exchange-calendars ships no types
    require_known_calendar(calendar)
    try:
        return _build_calendar(calendar, _HOLIDAYS_KNOWN_FROM)
    except ValueError:
        # Tokyo's calendar and some others begin later.
        return _build_calendar(calendar, _SESSION_COUNT_START)


@lru_cache(maxsize=8)
def _build_calendar(calendar: str, start: str) -> Any:  # noqa: ANN401 - exchange-calendars ships no types
    """A calendar up to a year from now; building one takes 0.3 s, whatever years it spans."""
    import exchange_calendars

    with warnings.catch_warnings():
        # exchange-calendars 4.13 calls what pandas 3.1 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar(calendar, start=start)

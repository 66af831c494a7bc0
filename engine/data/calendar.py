"""How long a bar is, and how many of them a calendar has in a year."""

from __future__ import annotations

import difflib
import math
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.errors import UsageError

if TYPE_CHECKING:
    from engine.data.spec import Interval

ALWAYS_OPEN = "24/7"

LENGTHS: dict[str, pd.Timedelta] = {
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
_FIRST, _LAST, _YEARS = "2000-01-01", "2019-12-31", 20


def interval_length(interval: Interval) -> pd.Timedelta:
    """Length of one bar."""
    return LENGTHS[interval]


def is_daily(interval: Interval) -> bool:
    """Whether bars are labelled by a day rather than by an instant within it."""
    return LENGTHS[interval] >= pd.Timedelta(days=1)


def periods_per_year(calendar: str, interval: Interval) -> float:
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
        require_known(calendar)
        return DAYS_PER_YEAR * (pd.Timedelta(days=1) / length)
    schedule = _schedule(calendar)
    sessions = float(round(len(schedule) / _YEARS))
    if interval == "1d":
        return sessions
    hours = _usual_hours(schedule.iloc[-int(sessions) :])
    return sessions * sum(math.ceil(part / length) for part in hours)


def _usual_hours(schedule: pd.DataFrame) -> list[pd.Timedelta]:
    """Median length of a session, or of its two halves where most sessions have a break."""
    if schedule["break_start"].notna().mean() > 0.5:
        morning = schedule["break_start"] - schedule["open"]
        afternoon = schedule["close"] - schedule["break_end"]
        return [pd.Timedelta(morning.median()), pd.Timedelta(afternoon.median())]
    return [pd.Timedelta((schedule["close"] - schedule["open"]).median())]


def require_known(calendar: str) -> None:
    """Refuses a calendar that does not exist.

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


def _schedule(calendar: str) -> Any:  # noqa: ANN401  exchange-calendars ships no types
    import exchange_calendars

    require_known(calendar)
    with warnings.catch_warnings():
        # exchange-calendars 4.13 calls what pandas 3.1 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar(calendar, start=_FIRST, end=_LAST).schedule

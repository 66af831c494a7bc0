"""Bars on days of which a calendar knows no sessions, because it begins later or ends before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.data.calendar import (
    ALWAYS_OPEN,
    begins_late,
    holidays_known_from,
    sessions_known_until,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class UnknownDays:
    """Bars before the first day that a calendar knows, or after its last.

    Attributes:
        calendar: A code of exchange-calendars.
        limit: The first or last day it knows.
        first: The first bar concerned.
        last: The last bar concerned.
        bars: Their number.
        of: Number of all bars.
        fix: The key of the dataset that leaves them out.
    """

    calendar: str
    limit: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp
    bars: int
    of: int
    fix: str

    @property
    def sentence(self) -> str:
        """The number of bars, and what the calendar knows."""
        known = (
            f"before {self.limit:%Y-%m-%d}, the first day that the calendar {self.calendar} knows"
            if self.last < self.limit
            else f"after {self.limit:%Y-%m-%d}, the last day that the calendar {self.calendar} of "
            "this exchange-calendars knows"
        )
        return f"{self.bars} of {self.of} bars lie {known}"


def find_unknown_days(stamps: pd.Series[pd.Timestamp], calendar: str) -> list[UnknownDays]:
    """Bars on days that a calendar does not know; before 1970 it knows sessions, if not holidays.

    Args:
        stamps: Of the bars of one symbol, ascending.
        calendar: `24/7` or a code of exchange-calendars.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    if calendar == ALWAYS_OPEN or stamps.empty:
        return []
    days = stamps.dt.normalize()
    found = []
    until = sessions_known_until(calendar)
    if begins_late(calendar):
        begin = holidays_known_from(calendar)
        found.append((begin, stamps[days < begin], f"`start: {begin:%Y-%m-%d}`"))
    found.append((until, stamps[days > until], f"`end: {until:%Y-%m-%d}`"))
    return [
        UnknownDays(calendar, limit, each.iloc[0], each.iloc[-1], len(each), len(stamps), fix)
        for limit, each, fix in found
        if len(each)
    ]


def require_known_days(stamps: pd.Series[pd.Timestamp], calendar: str) -> None:
    """Refuses bars on days that a calendar does not know, because they have no session there.

    Args:
        stamps: Of the bars of one symbol, ascending.
        calendar: `24/7` or a code of exchange-calendars.

    Raises:
        UsageError: There are such bars, or exchange-calendars knows no calendar of that name.
    """
    found = find_unknown_days(stamps, calendar)
    if found:
        raise UsageError(
            f"the calendar {calendar} does not cover these bars, which are resampled to sessions",
            expected=f"bars from {holidays_known_from(calendar):%Y-%m-%d} to "
            f"{sessions_known_until(calendar):%Y-%m-%d}",
            found="; ".join(one.sentence for one in found),
            where="calendar",
            fix=f"add {' and '.join(one.fix for one in found)} to the dataset, or name another "
            "calendar",
        )

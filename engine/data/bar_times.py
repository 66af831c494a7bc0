"""When bars open and close: the one rule by which a bar is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import (
    ALWAYS_OPEN,
    MONTH,
    holidays_known_from,
    interval_length,
    is_longer_than_a_day,
    sessions_known_until,
)
from engine.data.intervals import bar_ends, interval_numbers, interval_starts
from engine.data.sessions import DAY_US, MICROSECOND, WEEKDAYS_ONLY, DayBegin, Sessions

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector

_BEGINS_MARGIN_US = 8 * DAY_US
"""Days that begin by `day_begins` are computed from so long before the bars on."""

_ENDS_MARGIN_US = 40 * DAY_US
"""And until so long after them: the longest bar is a month."""


@dataclass(frozen=True)
class TradingTimes:
    """When the bars of an interval are traded on a calendar.

    A daily bar opens and closes with its session: on the evening before its date on some
    exchanges, at the early close of a half day. A week or a month opens with the first session of
    its days and closes with the last. Where the calendar has no session for a bar, or does not
    know all of its days (they are later than its end, or earlier than its begin), and on `24/7`,
    a bar closes when its interval ends, counted from its timestamp: a day at midnight UTC. Bars
    shorter than a day close when their interval ends, also where the session ends within it.

    Attributes:
        interval: Length of a bar.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day of `24/7` or `24/5` begins, where the dataset says so.
    """

    interval: str
    calendar: str = ALWAYS_OPEN
    day_begins: DayBegin | None = None

    @property
    def follow_sessions(self) -> bool:
        """Whether bars close with a session of the calendar, instead of with their interval."""
        is_dated = interval_length(self.interval) >= pd.Timedelta(days=1)
        return is_dated and (self.calendar != ALWAYS_OPEN or self.day_begins is not None)

    def spans(self, stamps: IntVector) -> tuple[IntVector, IntVector]:
        """When bars open and when they close.

        Args:
            stamps: (n,) timestamps of bars, microseconds since 1970.

        Returns:
            Opens and closes, (n,) each, microseconds since 1970. They ascend with the timestamps.

        Raises:
            UsageError: exchange-calendars knows no calendar of that name.
        """
        opens, closes = stamps.copy(), bar_ends(stamps, self.interval)
        if not stamps.size or not self.follow_sessions:
            return opens, closes
        sessions, known = self._sessions(int(stamps.min()), int(stamps.max()))
        first, last, found = self._locate(stamps, sessions, known)
        opens[found] = sessions.opens[first[found]]
        closes[found] = sessions.closes[last[found]]
        return opens, closes

    def closes(self, stamps: IntVector) -> IntVector:
        """When bars close, see `spans`."""
        return self.spans(stamps)[1]

    def close(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When one bar closes, see `spans`; UTC."""
        stamp = np.array([pd.Timestamp(bar).value // 1_000], dtype=np.int64)
        return pd.Timestamp(int(self.closes(stamp)[0]), unit="us", tz="UTC")

    def have_sessions(self, stamps: IntVector) -> npt.NDArray[np.bool_]:
        """Whether the calendar has a session for each bar; all have one that follow none.

        Args:
            stamps: (n,) timestamps of bars, microseconds since 1970.
        """
        if not stamps.size or not self.follow_sessions:
            return np.ones(len(stamps), dtype=bool)
        sessions, known = self._sessions(int(stamps.min()), int(stamps.max()))
        return self._locate(stamps, sessions, known)[2]

    def close_series(self, bars: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
        """When bars close, see `spans`, as timestamps with the same index."""
        stamps = bars.dt.tz_convert("UTC").dt.tz_localize(None)
        micro = stamps.to_numpy().astype("datetime64[us]").astype(np.int64)
        closes = pd.DatetimeIndex(self.closes(micro).astype("datetime64[us]")).tz_localize("UTC")
        return pd.Series(closes, index=bars.index)

    def has_closed_between(
        self, bar: pd.Timestamp, first: pd.Timestamp, last: pd.Timestamp
    ) -> bool:
        """Whether a bar that is later than another closes after one instant, and by a later one.

        Args:
            bar: The other bar.
            first: Exclusive.
            last: Inclusive.
        """
        count = int((last - bar) / interval_length(self.interval)) + 2
        stamp, first_us, last_us = (each.value // 1_000 for each in (bar, first, last))
        number = np.arange(1, max(count, 1), dtype=np.int64)
        if self.interval == MONTH:
            own = interval_numbers(np.array([stamp]), MONTH)
            later = interval_starts(own + number, MONTH)
        else:
            later = stamp + number * int(interval_length(self.interval) / MICROSECOND)
        closes = self.closes(later)
        return bool(((closes > first_us) & (closes <= last_us)).any())

    def _locate(
        self, stamps: IntVector, sessions: Sessions, known: tuple[int, int]
    ) -> tuple[IntVector, IntVector, npt.NDArray[np.bool_]]:
        """First and last session of each bar, and whether the calendar has them all."""
        if not sessions.days.size:
            nothing = np.zeros(len(stamps), dtype=np.int64)
            return nothing, nothing, nothing.astype(bool)
        if not is_longer_than_a_day(self.interval):
            session = sessions.locate_bars(stamps, DAY_US)
            return session, session, session >= 0
        dated = stamps % DAY_US == 0
        days = np.where(dated, stamps, sessions.local_days(stamps))
        if self.interval == MONTH:
            number = interval_numbers(days, MONTH)
            days, ends = interval_starts(number, MONTH), interval_starts(number + 1, MONTH)
        else:
            ends = bar_ends(days, self.interval)
        first = np.searchsorted(sessions.days, days)
        last = np.searchsorted(sessions.days, ends) - 1
        found = (last >= first) & (days >= known[0]) & (ends - DAY_US <= known[1])
        return first, last, found

    def _sessions(self, first: int, last: int) -> tuple[Sessions, tuple[int, int]]:
        """Sessions that cover bars, and the first and the last day that is known."""
        if self.day_begins is not None and self.calendar in (ALWAYS_OPEN, WEEKDAYS_ONLY):
            known = (first - _BEGINS_MARGIN_US, last + _ENDS_MARGIN_US)
            begin, end = (pd.Timestamp(at // DAY_US * DAY_US, unit="us") for at in known)
            return Sessions.between(self.calendar, begin, end, self.day_begins), known
        return _all_sessions(self.calendar)


@lru_cache(maxsize=16)
def _all_sessions(calendar: str) -> tuple[Sessions, tuple[int, int]]:
    """Every session that a calendar knows, and the first and the last day that it knows."""
    begin, end = holidays_known_from(calendar), sessions_known_until(calendar)
    known = (begin.value // 1_000, end.value // 1_000)
    return Sessions.between(calendar, begin, end), known

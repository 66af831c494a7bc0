"""Bars that a calendar expects and bars that are there, by the time of the week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import (
    ALWAYS_OPEN,
    exchange_timezone,
    holidays_known_from,
    interval_length,
    trading_schedule,
)

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector
    from engine.data.calendar import BarInterval

MIN_WEEKS = 4
"""Weeks of bars without which the days and hours of trading cannot be inferred."""

WEEK_US, _DAY_US = 7 * 86_400 * 10**6, 86_400 * 10**6
MONDAY_US = 4 * _DAY_US
"""A Monday at midnight, in microseconds since 1970 UTC."""

# A time of the week at which bars are this much rarer than at the others has no trading. Minutes
# of thin markets are rarer at night too, but not by so much.
_CLOSED_SHARE = 0.03


@dataclass(frozen=True, eq=False)
class TimesOfWeek:
    """Bars that a calendar expects and bars that are there, by the time of the week.

    Attributes:
        expected: Of each time of the week, how many bars the calendar expects.
        present: How many there are.
        hits: How many of them are expected.
        by_clock: Whether bars begin by the clock instead of at the opens of sessions.
    """

    expected: Vector
    present: Vector
    hits: Vector
    by_clock: bool

    @classmethod
    def of(cls, stamps: IntVector, calendar: str, interval: BarInterval) -> TimesOfWeek | None:
        """Compares bars with a calendar; None for fewer than four weeks that it knows."""
        length = int(interval_length(interval) / pd.Timedelta(microseconds=1))
        if length == _DAY_US:
            stamps = _drop_repeats(stamps // _DAY_US * _DAY_US)
        if calendar == ALWAYS_OPEN:
            phase = stamps[0] % length
            expected = np.arange(stamps[0], stamps[-1] + 1, length)
            stamps = (stamps - phase) // length * length + phase
            return cls._count(stamps, expected, calendar, length, by_clock=False)
        known = to_microseconds(pd.DatetimeIndex([holidays_known_from(calendar)]))[0]
        stamps = stamps[stamps >= known]
        if not stamps.size:
            return None
        day_before, day_after = _to_timestamps(stamps[[0, -1]] + np.array([-_DAY_US, _DAY_US]))
        schedule = trading_schedule(calendar, day_before, day_after)
        days = to_microseconds(schedule.index)
        if not days.size:
            return None
        stamps = stamps[stamps < days[-1] + _DAY_US]
        if length == _DAY_US:
            return cls._count(stamps, _clip(days, stamps), calendar, length, by_clock=False)
        by_session, by_clock = (
            _clip(_fill_spans(*_trading_spans(schedule), length, by_clock=clock), stamps)
            for clock in (False, True)
        )
        clock_fits = _count_common(by_clock, stamps) > _count_common(by_session, stamps)
        expected = by_clock if clock_fits else by_session
        return cls._count(stamps, expected, calendar, length, by_clock=bool(clock_fits))

    @classmethod
    def _count(
        cls, stamps: IntVector, expected: IntVector, calendar: str, length: int, *, by_clock: bool
    ) -> TimesOfWeek | None:
        if stamps.size < 2 or stamps[-1] - stamps[0] < MIN_WEEKS * WEEK_US - _DAY_US:
            return None
        hits = stamps[_find_hits(stamps, expected, length)]
        return cls(
            expected=_count_times_of_week(expected, calendar, length),
            present=_count_times_of_week(stamps, calendar, length),
            hits=_count_times_of_week(hits, calendar, length),
            by_clock=by_clock,
        )

    @property
    def expected_per_bar(self) -> float:
        """Bars that the calendar expects, for each bar that the file would have without holes.

        At a time of the week at which the file has bars, all that the calendar expects count as
        there; bars at other times count in the proportion of those.
        """
        shared = (self.expected > 0) & (self.present > 0)
        shares = np.minimum(1.0, self.present[shared] / self.expected[shared])
        filled = float(np.median(shares)) if shares.size else 1.0
        closed = self.present < _CLOSED_SHARE * filled * self.expected
        beyond = np.maximum(self.present - self.hits, 0.0) / filled
        there = np.where(closed, self.hits / filled, self.expected).sum() + beyond.sum()
        return float(self.expected.sum() / there)

    @property
    def likeness(self) -> float:
        """Bars that are both expected and present, of those that are one or the other."""
        both = self.hits.sum()
        return float(both / (self.expected.sum() + self.present.sum() - both))


def _count_times_of_week(stamps: IntVector, calendar: str, length: int) -> Vector:
    """Number of bars at each time of the week of the exchange, in steps of a bar's length."""
    local = stamps if length == _DAY_US else stamps + _utc_offsets(stamps, calendar)
    slots = (local - MONDAY_US) % WEEK_US // length
    return np.bincount(slots, minlength=-(-WEEK_US // length)).astype(np.float64)


def _utc_offsets(stamps: IntVector, calendar: str) -> IntVector | int:
    """What is added to UTC for the exchange's clock, by the day; one lookup a day is enough."""
    if calendar == ALWAYS_OPEN or not stamps.size:
        return 0
    days = np.arange(stamps[0] // _DAY_US, stamps[-1] // _DAY_US + 1) * _DAY_US
    utc = pd.DatetimeIndex(days.astype("datetime64[us]")).tz_localize("UTC")
    local = utc.tz_convert(exchange_timezone(calendar)).tz_localize(None)
    offsets = local.to_numpy().astype("datetime64[us]").astype(np.int64) - days
    return np.asarray(offsets[stamps // _DAY_US - stamps[0] // _DAY_US])


def _trading_spans(schedule: pd.DataFrame) -> tuple[IntVector, IntVector]:
    """Begin and end of each session, or of its halves where it has a break, ascending."""
    opens, pauses, ends, closes = (
        schedule[name] for name in ("open", "break_start", "break_end", "close")
    )
    has_break = pauses.notna()
    begins = pd.concat([opens, ends[has_break]])
    until = pd.concat([pauses.where(has_break, closes), closes[has_break]])
    return np.sort(to_microseconds(begins)), np.sort(to_microseconds(until))


def _fill_spans(begins: IntVector, ends: IntVector, length: int, *, by_clock: bool) -> IntVector:
    """Opens of the bars that cover spans, from their begins or by the clock; each once."""
    first = begins // length * length if by_clock else begins
    counts = -((first - ends) // length)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return _drop_repeats(np.repeat(first, counts) + number * length)


def _find_hits(stamps: IntVector, expected: IntVector, length: int) -> IntVector:
    """Positions of the first bar that begins within each expected bar, where there is one."""
    if not expected.size:
        return np.array([], dtype=np.int64)
    own = np.searchsorted(expected, stamps, side="right") - 1
    within = np.flatnonzero((own >= 0) & (stamps - expected[np.maximum(own, 0)] < length))
    return within[np.diff(own[within], prepend=-1) > 0]


def _count_common(some: IntVector, others: IntVector) -> int:
    """How many ascending instants are among others, ascending too."""
    # np.isin and np.unique hash: of numpy 2.4 they take 3 s for a million whole minutes.
    if not others.size:
        return 0
    nearest = others[np.minimum(np.searchsorted(others, some), others.size - 1)]
    return int((nearest == some).sum())


def _drop_repeats(ascending: IntVector) -> IntVector:
    return ascending[np.diff(ascending, prepend=ascending[:1] - 1) > 0]


def _clip(expected: IntVector, stamps: IntVector) -> IntVector:
    return (
        expected[(expected >= stamps[0]) & (expected <= stamps[-1])] if stamps.size else expected
    )


def to_microseconds(stamps: pd.Series[pd.Timestamp] | pd.DatetimeIndex) -> IntVector:
    """Instants as microseconds since 1970 UTC, shape (n,)."""
    index = pd.DatetimeIndex(stamps)
    naive = index.tz_convert("UTC").tz_localize(None) if index.tz is not None else index
    return np.asarray(naive.to_numpy().astype("datetime64[us]").astype(np.int64))


def _to_timestamps(micro: IntVector) -> list[pd.Timestamp]:
    return [pd.Timestamp(int(each), unit="us", tz="UTC") for each in micro]

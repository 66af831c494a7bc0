"""The bars that a calendar expects, and those of them that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import utc_datetime64
from engine.data.calendar import (
    ALWAYS_OPEN,
    MONTH,
    holidays_known_from,
    interval_length,
    trading_schedule,
)
from engine.data.intervals import interval_numbers, interval_starts
from engine.data.sessions import DAY_US, LONG_SESSION_US, MIN_HALT_SHARE, Sessions

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame, IntVector, Vector
    from engine.data.calendar import BarInterval

    Instants = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Gap:
    """Consecutive expected bars that are missing.

    Attributes:
        first: When the first of them would have opened.
        last: When the last of them would have opened.
        bars: Number of missing bars.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    bars: int


def expected_timestamps(
    calendar: str, interval: BarInterval, first: pd.Timestamp, last: pd.Timestamp
) -> Instants:
    """When bars open between two instants, both included, as microseconds of UTC.

    On `24/7`, and for weeks on any calendar, bars follow each other from the first on without a
    break; months are calendar months, labelled by their first days. On an exchange's calendar a
    daily bar is labelled by its session at midnight; shorter bars follow each other from the open
    of each session to its close, a lunch break left out.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    if interval == MONTH:
        numbers = interval_numbers(_to_microseconds([first, last]), MONTH)
        starts = interval_starts(np.arange(numbers[0], numbers[1] + 1), MONTH)
        return starts.astype("datetime64[us]")
    length = interval_length(interval)
    if calendar == ALWAYS_OPEN or interval == "1w":
        return _to_utc_datetime64(pd.date_range(first, last, freq=length))
    # A session of a date may open on the day before, in UTC.
    week = pd.Timedelta(days=7)
    sessions = trading_schedule(
        calendar, max(first - week, holidays_known_from(calendar)), last + week
    )
    if interval == "1d":
        days = sessions.index.tz_localize("UTC")
        return _to_utc_datetime64(days[(days >= first) & (days <= last)])
    stamps = [np.array([], dtype="datetime64[us]")]
    for row in sessions.itertuples():
        stamps += [
            _to_utc_datetime64(pd.date_range(begin, end, freq=length, inclusive="left"))
            for begin, end in _trading_spans(row.open, row.break_start, row.break_end, row.close)
        ]
    opens = np.concatenate(stamps)
    begin, end = _to_utc_datetime64(pd.DatetimeIndex([first, last]))
    return np.asarray(opens[(opens >= begin) & (opens <= end)])


def infer_expected_timestamps(bars: BarsFrame, calendar: str, interval: BarInterval) -> Instants:
    """When bars open from the first to the last of one symbol's; see `expected_timestamps`.

    Before the date from which all holidays of the exchange are known, only the present bars are
    expected.

    Of a month that has a bar, its label is expected, whichever day of the month it is. Some
    sources label the bars of a session by whole hours of the clock instead of from its open; the
    labels that fit more of the bars are used. A daily bar that is labelled by another instant than
    midnight UTC stands for its session, see `Sessions.locate_bars`. The daily halt of a session of
    twenty hours or more, when most days have no bar, has no bars.

    Args:
        bars: Ascending, not empty.
        calendar: `24/7` or a code of exchange-calendars.
        interval: Length of a bar.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    first, last = bars["timestamp"].iloc[0], bars["timestamp"].iloc[-1]
    present = utc_datetime64(bars)
    if interval == MONTH:
        starts = expected_timestamps(calendar, interval, first, last)
        is_absent = ~np.isin(starts.astype("datetime64[M]"), present.astype("datetime64[M]"))
        return np.sort(np.concatenate([present, starts[is_absent]]))
    if calendar == ALWAYS_OPEN or interval == "1w":
        return expected_timestamps(calendar, interval, first, last)
    known = holidays_known_from(calendar)
    early = present[present < _to_utc_datetime64(pd.DatetimeIndex([known]))[0]]
    later = present[len(early) :]
    if not len(later):
        return np.asarray(early)
    if interval == "1d":
        return np.concatenate([early, _session_labels(later, calendar)])
    stamps = _session_or_clock_timestamps(present, calendar, interval, max(first, known), last)
    return np.concatenate([early, _without_halts(stamps, later, calendar, interval)])


def _session_labels(present: Instants, calendar: str) -> Instants:
    """The labels of daily bars: their own, and midnight UTC of each session without one."""
    stamps = present.astype(np.int64)
    sessions = Sessions.known_around(calendar, int(stamps[0]), int(stamps[-1]))
    located = sessions.locate_bars(stamps, DAY_US)
    own = located[located >= 0]
    if not own.size:
        return present
    missing = np.setdiff1d(np.arange(own[0], own[-1] + 1), own)
    labels = np.concatenate([stamps[located >= 0], sessions.days[missing]])
    return np.asarray(np.sort(labels).astype("datetime64[us]"))


def _without_halts(
    expected: Instants, present: Instants, calendar: str, interval: BarInterval
) -> Instants:
    """The expected bars of long sessions without the times at which most of them have none."""
    if not len(expected):
        return expected
    stamps, length = expected.astype(np.int64), interval_length(interval).value // 1_000
    sessions = Sessions.known_around(calendar, int(stamps[0]), int(stamps[-1]))
    located = sessions.locate_bars(stamps, length)
    since_open = np.where(located >= 0, (stamps - sessions.opens[located]) // length, -1)
    is_long = (sessions.closes - sessions.opens)[located] >= LONG_SESSION_US
    times, slot = np.unique(since_open, return_inverse=True)
    share = np.bincount(slot, np.isin(expected, present)) / np.bincount(slot)
    halted = is_long & (times >= 0)[slot] & (share < 1.0 - MIN_HALT_SHARE)[slot]
    return np.asarray(expected[~halted])


def _session_or_clock_timestamps(
    present: Instants,
    calendar: str,
    interval: BarInterval,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> Instants:
    """When bars of an exchange open, by its sessions or by the hours of the clock."""
    length = interval_length(interval)
    stamps = expected_timestamps(calendar, interval, first, last)
    if length >= pd.Timedelta(days=1):
        return stamps
    around = expected_timestamps(calendar, interval, first - length, last + length)
    hours = pd.DatetimeIndex(around).tz_localize("UTC").floor(length).unique()
    clock = _to_utc_datetime64(hours[(hours >= first) & (hours <= last)])
    return clock if np.isin(present, clock).sum() > np.isin(present, stamps).sum() else stamps


def find_gaps(bars: BarsFrame, expected: Instants) -> list[Gap]:
    """Runs of expected bars that are missing between the first and the last bar.

    Args:
        bars: Of one symbol, ascending.
        expected: See `expected_timestamps`.
    """
    present = utc_datetime64(bars)
    if not len(present):
        return []
    inner = expected[(expected > present[0]) & (expected < present[-1])]
    missing = np.flatnonzero(~np.isin(inner, present))
    runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    return [
        Gap(_to_timestamp(inner[run[0]]), _to_timestamp(inner[run[-1]]), len(run))
        for run in runs
        if run.size
    ]


def compute_coverage(bars: BarsFrame, expected: Instants, edges: Instants) -> Vector:
    """The share of expected bars that are present, from each edge to the next.

    Args:
        bars: Of one symbol, ascending.
        expected: See `expected_timestamps`.
        edges: (n + 1,) ascending; the last belongs to the last part.

    Returns:
        (n,) 0 to 1; NaN where no bar is expected.
    """
    total = _count_between_edges(expected, edges)
    present = _count_between_edges(expected[np.isin(expected, utc_datetime64(bars))], edges)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(total > 0, present / np.maximum(total, 1), np.nan))


def _count_between_edges(stamps: Instants, edges: Instants) -> Vector:
    positions = np.searchsorted(stamps, edges[:-1]).tolist()
    return np.diff([*positions, np.searchsorted(stamps, edges[-1], side="right")]).astype(float)


def _trading_spans(
    session_open: pd.Timestamp,
    break_start: pd.Timestamp,
    break_end: pd.Timestamp,
    session_close: pd.Timestamp,
) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    return (
        [(session_open, session_close)]
        if pd.isna(break_start)
        else [(session_open, break_start), (break_end, session_close)]
    )


def _to_microseconds(stamps: list[pd.Timestamp]) -> IntVector:
    return _to_utc_datetime64(pd.DatetimeIndex(stamps)).astype(np.int64)


def _to_utc_datetime64(stamps: pd.DatetimeIndex) -> Instants:
    return np.asarray(stamps.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")


def _to_timestamp(instant: np.datetime64) -> pd.Timestamp:
    return pd.Timestamp(instant).tz_localize("UTC")

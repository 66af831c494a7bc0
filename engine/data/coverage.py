"""Which bars a calendar would have, and which of them are not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, interval_length, known_from, schedule
from engine.data.digest import instants

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.spec import Interval
    from engine.types import BarsFrame, Vector

    Instants = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Gap:
    """Bars that are missing one after the other.

    Attributes:
        first: When the first of them would have opened.
        last: When the last of them would have.
        bars: How many.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    bars: int


def expected(
    calendar: str, interval: Interval, first: pd.Timestamp, last: pd.Timestamp
) -> Instants:
    """When bars open between two instants, both included, as microseconds of UTC.

    On `24/7` a bar follows the other from the first on, as do weeks on any calendar. On an
    exchange's calendar a daily bar is labelled by its session at midnight; shorter bars follow
    each other from the open of each session to its close, past a lunch break.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    length = interval_length(interval)
    if calendar == ALWAYS_OPEN or interval == "1w":
        return _plain(pd.date_range(first, last, freq=length))
    # A session of a date may open on the day before, in UTC.
    week = pd.Timedelta(days=7)
    sessions = schedule(calendar, max(first - week, known_from(calendar)), last + week)
    if interval == "1d":
        days = sessions.index.tz_localize("UTC")
        return _plain(days[(days >= first) & (days <= last)])
    stamps = [np.array([], dtype="datetime64[us]")]
    for row in sessions.itertuples():
        stamps += [
            _plain(pd.date_range(begin, end, freq=length, inclusive="left"))
            for begin, end in _open_hours(row.open, row.break_start, row.break_end, row.close)
        ]
    made = np.concatenate(stamps)
    begin, end = _plain(pd.DatetimeIndex([first, last]))
    return np.asarray(made[(made >= begin) & (made <= end)])


def expected_of(bars: BarsFrame, calendar: str, interval: Interval) -> Instants:
    """When bars open from the first to the last of one symbol's; see `expected`.

    Of the time before all holidays of the exchange are known, those that are there are expected
    and no others.

    Some sources label the bars of a session by whole hours of the clock instead of from its open:
    so does this if that is where most bars are.

    Args:
        bars: In order, not empty.
        calendar: `24/7` or a code of exchange-calendars.
        interval: Length of a bar.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    first, last = bars["timestamp"].iloc[0], bars["timestamp"].iloc[-1]
    if calendar == ALWAYS_OPEN or interval == "1w":
        return expected(calendar, interval, first, last)
    known, there = known_from(calendar), instants(bars)
    early = there[there < _plain(pd.DatetimeIndex([known]))[0]]
    return np.concatenate([early, _judged(there, calendar, interval, max(first, known), last)])


def _judged(
    there: Instants, calendar: str, interval: Interval, first: pd.Timestamp, last: pd.Timestamp
) -> Instants:
    """When bars of an exchange open, by its sessions or by the hours of the clock."""
    length = interval_length(interval)
    stamps = expected(calendar, interval, first, last)
    if length >= pd.Timedelta(days=1):
        return stamps
    around = expected(calendar, interval, first - length, last + length)
    hours = pd.DatetimeIndex(around).tz_localize("UTC").floor(length).unique()
    clock = _plain(hours[(hours >= first) & (hours <= last)])
    return clock if np.isin(there, clock).sum() > np.isin(there, stamps).sum() else stamps


def gaps(bars: BarsFrame, stamps: Instants) -> list[Gap]:
    """Runs of expected bars that are not there, between the first and the last that are.

    Args:
        bars: Of one symbol, in order.
        stamps: See `expected`.
    """
    there = instants(bars)
    if not len(there):
        return []
    inner = stamps[(stamps > there[0]) & (stamps < there[-1])]
    missing = np.flatnonzero(~np.isin(inner, there))
    runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    return [
        Gap(_stamp(inner[run[0]]), _stamp(inner[run[-1]]), len(run)) for run in runs if run.size
    ]


def shares(bars: BarsFrame, stamps: Instants, edges: Instants) -> Vector:
    """The share of expected bars that are there, from each edge to the next.

    Args:
        bars: Of one symbol, in order.
        stamps: See `expected`.
        edges: (n + 1,) ascending; the last belongs to the last part.

    Returns:
        (n,) 0 to 1; NaN where no bar is expected.
    """
    wanted = _counts(stamps, edges)
    found = _counts(stamps[np.isin(stamps, instants(bars))], edges)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(wanted > 0, found / np.maximum(wanted, 1), np.nan))


def _counts(stamps: Instants, edges: Instants) -> Vector:
    places = np.searchsorted(stamps, edges[:-1]).tolist()
    return np.diff([*places, np.searchsorted(stamps, edges[-1], side="right")]).astype(float)


def _open_hours(
    begin: pd.Timestamp, pause: pd.Timestamp, again: pd.Timestamp, end: pd.Timestamp
) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    return [(begin, end)] if pd.isna(pause) else [(begin, pause), (again, end)]


def _plain(stamps: pd.DatetimeIndex) -> Instants:
    return np.asarray(stamps.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")


def _stamp(instant: np.datetime64) -> pd.Timestamp:
    return pd.Timestamp(instant).tz_localize("UTC")

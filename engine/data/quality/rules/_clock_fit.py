"""How well the timestamps of intraday bars fit the hours of an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.quality.rules.base import DAY_US, SECOND_US

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Vector
    from engine.data.sessions import Sessions

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US

# The bars of a trading day follow each other; a longer pause begins another day.
_MIN_PAUSE_US = 4 * HOUR_US
# An edge that is off by less is late trading, an auction or a missing bar.
_MIN_SHIFT_US = 15 * MINUTE_US
# Days judged together: one is chance, a week is a clock.
_WEEK = 5
_FAR_US = 2 * HOUR_US
_MIN_SHORT_SHARE = 0.9
# Of a year that follows another daylight saving, three weeks (6 %) are an hour off.
_MAX_SHIFTED_SHARE = 0.03
# A market around the clock has a fifth of its hours within those of the shortest session.
_MIN_INSIDE_SHARE = 0.1
# A time of day at which half of the days have a bar.
_USUAL_SHARE = 0.5
_MIN_SEASON_DAYS = 5
_MIN_SEASON_FIT, _MIN_SEASON_GAIN = 0.9, 0.03
# Most of the volume of an exchange trades within its hours: 85 % and more.
_MIN_VOLUME_INSIDE, _MIN_VOLUME_GAIN = 0.75, 0.1
_CERTAIN_VOLUME_INSIDE = 0.85
_EXTENDED_SHARE = 0.2
_THIN_SHARE = 0.5

# Trading before the open and after the close in New York: from 4:00 to 20:00, that is 5.5 hours
# before the open of 9:30 to 10.5 hours after it. Markets of more hours trade overnight too.
_EXTENDED_US = (-(5 * HOUR_US + 30 * MINUTE_US), 10 * HOUR_US + 30 * MINUTE_US)
_OVERNIGHT_HOURS = 20


@dataclass(frozen=True, eq=False)
class ClockFit:
    """Timestamps, read as UTC or in a zone, against the hours of an exchange.

    Attributes:
        outside: Of each timestamp, whether the bar lies wholly outside the hours, shape (n,).
        days: Number of trading days that the bars form.
        shifted_share: Share of the days that begin and end too early, or too late, in weeks that
            do so throughout.
        has_far_week: Whether the days of a week begin and end two hours or more too early, or too
            late: no exchange moves its hours by that much.
        edge_share: Share of the days whose first bar has the open, and whose last has the close.
        covers_hours: Whether bars lie within the hours at all.
        follows_clock_changes: Whether the usual times of day, counted from the open, are the same
            under summer and winter time of the exchange.
        within_extended_hours: Whether the usual times of day lie within the hours in which an
            exchange of New York trades at all.
        follows_volume: Whether no other offset has much more of the volume within the hours.
    """

    outside: npt.NDArray[np.bool_]
    days: int
    shifted_share: float
    has_far_week: bool
    edge_share: float
    covers_hours: bool
    follows_clock_changes: bool
    within_extended_hours: bool
    follows_volume: bool

    @property
    def outside_share(self) -> float:
        """Share of the bars outside the hours."""
        return float(self.outside.mean())

    @property
    def fits(self) -> bool:
        """Whether nothing contradicts these clocks."""
        return (
            self.covers_hours
            and self.shifted_share <= _MAX_SHIFTED_SHARE
            and not self.has_far_week
            and self.follows_clock_changes
            and self.within_extended_hours
            and self.follows_volume
        )


def fit_clock(
    stamps: IntVector, length: int, sessions: Sessions, volume: Vector | None
) -> ClockFit:
    """Compares timestamps with the sessions of an exchange.

    Args:
        stamps: Microseconds since 1970 as if UTC, ascending, within the known sessions.
        length: Of a bar.
        sessions: Of the exchange, from before the first timestamp to after the last.
        volume: Of the bars, shape (n,), finite; None where it is not known.
    """
    inside = _overlap_sessions(stamps, length, sessions)
    edges = _DayEdges.of(stamps, length, sessions)
    since_open = _since_nearest_open(stamps, sessions)
    is_extended = inside.mean() < 1.0 - _EXTENDED_SHARE
    within = _volume_within_hours(since_open, length, sessions, volume) if is_extended else None
    # Trading before the open alone looks early; its volume shows that it is not. A thin market
    # may begin late and trade in the closing auction every day.
    is_seen = within is not None and within[0] >= _CERTAIN_VOLUME_INSIDE
    slots = float(np.median(sessions.closes - sessions.opens)) / length
    is_thin = len(stamps) < _THIN_SHARE * slots * edges.count and inside.mean() >= 0.5
    return ClockFit(
        outside=~inside,
        days=edges.count,
        shifted_share=0.0 if is_seen or is_thin else edges.shifted_share(),
        has_far_week=not (is_seen or is_thin) and edges.shifted_share(_FAR_US) > 0.0,
        edge_share=edges.exact_share(),
        covers_hours=bool(inside.mean() >= _MIN_INSIDE_SHARE),
        follows_clock_changes=_follows_clock_changes(stamps, since_open, length, sessions),
        within_extended_hours=_within_extended_hours(since_open, length, sessions, edges.count),
        follows_volume=within is None
        or within.max() < _MIN_VOLUME_INSIDE
        or bool(within.max() - within[0] <= _MIN_VOLUME_GAIN),
    )


def _overlap_sessions(stamps: IntVector, length: int, sessions: Sessions) -> npt.NDArray[np.bool_]:
    """Whether each bar overlaps a session; breaks and the closing auction are part of it."""
    index = np.minimum(
        np.searchsorted(sessions.closes, stamps, side="left"), len(sessions.closes) - 1
    )
    return np.asarray(
        (stamps + length > sessions.opens[index]) & (stamps <= sessions.closes[index])
    )


@dataclass(frozen=True, eq=False)
class _DayEdges:
    """First and last bars of the days that bars form, relative to the sessions next to them.

    A day of bars is a run without a pause of four hours; that of a market without such pauses is a
    week.

    Attributes:
        begin: First timestamp minus the open, shape (days,).
        end: Last timestamp minus the close.
        length: Of a bar.
        slack: How much before the open bars may end: the calendars of markets around the clock
            know no daily halt, so that a week may begin and end an hour before theirs.
    """

    begin: IntVector
    end: IntVector
    length: int
    slack: int

    @classmethod
    def of(cls, stamps: IntVector, length: int, sessions: Sessions) -> _DayEdges:
        breaks = np.flatnonzero(np.diff(stamps) > max(_MIN_PAUSE_US, length))
        first = stamps[np.append(0, breaks + 1)]
        last = stamps[np.append(breaks, len(stamps) - 1)]
        middles = (sessions.opens + sessions.closes) // 2
        short = last - first < DAY_US
        own = _nearest(middles, (first + last + length) // 2)
        opens = np.where(short, own, _nearest(sessions.opens, first))
        closes = np.where(short, own, _nearest(sessions.closes, last + length))
        begin, end = first - sessions.opens[opens], last - sessions.closes[closes]
        # The file may begin and end within a day.
        kept = slice(1, -1) if len(begin) > 2 else slice(None)
        is_long = np.median(sessions.closes - sessions.opens) >= _OVERNIGHT_HOURS * HOUR_US
        return cls(begin[kept], end[kept], length, HOUR_US if is_long else 0)

    @property
    def count(self) -> int:
        return len(self.begin)

    def shifted_share(self, by: int = 0) -> float:
        """Share of days in weeks that are late, or early, throughout.

        Args:
            by: How far at least at both ends, microseconds.
        """
        late = (self.begin >= max(_MIN_SHIFT_US, by)) & (self.end + self.length > by)
        late &= self.end >= 0
        early = (self.begin + self.length <= -max(self.slack, by)) & (
            self.end + self.length <= -max(_MIN_SHIFT_US, by)
        )
        shifted = sum(_days_in_runs(days) for days in (late, early))
        return shifted / max(self.count, 1)

    def exact_share(self) -> float:
        """Share of days whose first bar covers the open, and whose last covers the close."""
        first = (self.begin <= 0) & (self.begin + self.length > 0)
        last = (self.end < 0) & (self.end + self.length >= 0)
        return float((first & last).mean()) if self.count else 0.0


def _days_in_runs(flagged: npt.NDArray[np.bool_]) -> int:
    """The flagged days of weeks that are flagged throughout; of a shorter file, most of it."""
    if flagged.size < 2 * _WEEK:
        return int(flagged.sum()) if flagged.mean() >= _MIN_SHORT_SHARE else 0
    runs = np.convolve(flagged, np.ones(_WEEK), mode="valid") == _WEEK
    return int((np.convolve(runs, np.ones(_WEEK)) > 0).sum())


def _nearest(sorted_values: IntVector, values: IntVector) -> IntVector:
    after = np.clip(np.searchsorted(sorted_values, values), 1, max(len(sorted_values) - 1, 1))
    after = np.minimum(after, len(sorted_values) - 1)
    before = np.maximum(after - 1, 0)
    is_before = values - sorted_values[before] <= sorted_values[after] - values
    return np.where(is_before, before, after)


def _since_nearest_open(stamps: IntVector, sessions: Sessions) -> IntVector:
    """Time since the open of the nearest session, from minus to plus half a day."""
    own = _nearest((sessions.opens + sessions.closes) // 2, stamps)
    half = DAY_US // 2
    return (stamps - sessions.opens[own] + half) % DAY_US - half


def _usual_times(since_open: IntVector, days: int, width: int) -> IntVector:
    """The bins of the day in which at least half of the days have a bar, ascending."""
    bins, counts = np.unique(since_open // width, return_counts=True)
    return bins[counts >= _USUAL_SHARE * max(days, 1)]


def _follows_clock_changes(
    stamps: IntVector, since_open: IntVector, length: int, sessions: Sessions
) -> bool:
    """Whether the usual times, counted from the open, do not move by an hour with the season.

    The hours of an exchange move in UTC when its clocks change, and so do the bars of a market.
    Where they stay, the timestamps are the time of a clock on a wall.
    """
    if length > HOUR_US:
        return True  # bars of four hours are counted from midnight UTC too
    summer = is_summer_time(stamps, sessions)
    if summer.all() or not summer.any():
        return True
    width = min(length, 30 * MINUTE_US)
    seasons = []
    for season in (summer, ~summer):
        days = np.unique(stamps[season] // DAY_US).size
        if days < _MIN_SEASON_DAYS:
            return True
        seasons.append(_usual_times(since_open[season], days, width))
    here = _overlap(*seasons)
    day, hour = DAY_US // width, HOUR_US // width
    moved = max(_overlap(seasons[0] % day, (seasons[1] + shift) % day) for shift in (-hour, hour))
    return not (moved >= _MIN_SEASON_FIT and moved - here > _MIN_SEASON_GAIN)


def is_summer_time(stamps: IntVector, sessions: Sessions) -> npt.NDArray[np.bool_]:
    """Of each instant, whether daylight saving is in force in the exchange's time zone."""
    # One look-up a day: clocks change at night.
    days, position = np.unique(stamps // DAY_US, return_inverse=True)
    noons = pd.DatetimeIndex((days * DAY_US + DAY_US // 2).astype("datetime64[us]"))
    local = noons.tz_localize("UTC").tz_convert(sessions.zone)
    none = timedelta(0)
    saving = np.array([(noon.dst() or none) > none for noon in local], dtype=bool)
    return saving[position]


def _overlap(one: IntVector, other: IntVector) -> float:
    """Size of the intersection of two sets of times over that of their union."""
    union = np.union1d(one, other).size
    return np.intersect1d(one, other).size / union if union else 1.0


def _within_extended_hours(
    since_open: IntVector, length: int, sessions: Sessions, days: int
) -> bool:
    """False where bars of an exchange of New York lie at times at which none of them trades."""
    hours = np.median(sessions.closes - sessions.opens)
    if str(sessions.zone) != "America/New_York" or hours != 6.5 * HOUR_US:
        return True
    usual = _usual_times(since_open, days, length) * length
    if usual.size * length >= _OVERNIGHT_HOURS * HOUR_US:
        return True
    first, last = _EXTENDED_US
    beyond = (usual + length <= first) | (usual >= last)
    return bool(beyond.sum() * length < HOUR_US)


def _volume_within_hours(
    since_open: IntVector, length: int, sessions: Sessions, volume: Vector | None
) -> Vector | None:
    """Share of the volume within the hours, if these began a number of half hours later, (48,).

    None where no volume is known.
    """
    if volume is None or not volume.sum() > 0.0:
        return None
    width = 30 * MINUTE_US
    parts = max(length // width, 1)
    profile = np.zeros(DAY_US // width)
    for part in range(parts):
        bins = (since_open + part * width) // width % profile.size
        profile += np.bincount(bins, volume / parts, profile.size)
    # One more for the closing auction.
    hours = min(int(np.median(sessions.closes - sessions.opens)) // width + 1, profile.size)
    doubled = np.concatenate([profile, profile]) / volume.sum()
    return np.array([doubled[shift : shift + hours].sum() for shift in range(profile.size)])

"""Timestamps against the hours of the exchange: is their clock UTC?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN
from engine.data.quality.rules._clock_fit import HOUR_US, MINUTE_US, fit_clock
from engine.data.quality.rules.base import DAY_US, RuleViolation
from engine.data.quality.rules.gaps import on_closed_days
from engine.data.sessions import WEEKDAYS_ONLY, index_to_microseconds

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Vector
    from engine.data.quality.rules._clock_fit import ClockFit
    from engine.data.quality.rules.base import BarsView, TimestampsUs
    from engine.data.sessions import Sessions

# Bars that the candidates are compared on: more do not change the answer.
_MAX_COMPARED = 60_000
# With fewer days only the exchange's own zone, or bars that are all outside, are evidence.
_FEW_DAYS = 3
# Without a zone that fits, bars within the hours are evidence of no other clock.
_MAX_OUTSIDE_SHARE = 0.2
# Closed days among daily bars: holidays that a calendar does not know are fewer.
MAX_CLOSED_SHARE = 0.1
_MIN_CLOSED = 5

# Tried after the exchange's own zone, in this order; the first of equals is named.
ZONES = (
    *("America/New_York", "Europe/London", "Europe/Berlin", "America/Chicago"),
    *("Europe/Athens", "America/Los_Angeles", "Asia/Tokyo", "Asia/Shanghai", "Asia/Kolkata"),
    *("Australia/Sydney", "America/Sao_Paulo"),
)
_HALF_HOUR_ZONES = ("Asia/Kathmandu", "Australia/Darwin", "Asia/Yangon", "Asia/Kabul")
_FIXED_ZONES = tuple(f"Etc/GMT{-hours:+d}" for hours in (*range(1, 15), *range(-1, -13, -1)))


def clock(view: BarsView) -> list[RuleViolation]:
    """The timestamps are not those of the exchange in UTC.

    Bars shorter than a day are compared with the hours of the exchange over the whole file: where
    its days begin and end, whether they move with the changes of its clocks, and where the volume
    lies. Daily bars are labelled by midnight UTC of their date.
    """
    if view.calendar == ALWAYS_OPEN or not view.unique_timestamps.size:
        return []
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return []
    if view.bar_length_us >= DAY_US:
        return _check_days(view, sessions)
    if view.calendar == WEEKDAYS_ONLY and view.day_begins is None:
        return []  # a name for markets without an exchange, whose weeks begin at many times
    return _check_hours(view, sessions)


def day_labels(view: BarsView) -> list[RuleViolation]:
    """Daily bars are labelled by midnight of the exchange's time zone instead of UTC.

    They are assigned to their sessions, and share no timestamp with bars labelled by dates.
    """
    if view.calendar == ALWAYS_OPEN or view.bar_length_us < DAY_US or not view.timestamps.size:
        return []
    sessions = view.sessions
    if sessions is None or not sessions.days.size or not _are_local_midnights(view, sessions):
        return []
    zone = str(sessions.zone)
    description = (
        f"bars lie at {format_times_of_day(view.unique_timestamps)} UTC, midnight of {zone}; "
        "bars labelled by their date alone share no timestamp with them"
    )
    rows = np.flatnonzero(view.timestamps % DAY_US != 0)
    return [RuleViolation(rows, description, advice=declare_zone(zone))]


def declare_zone(zone: str) -> str:
    """The advice that declares a time zone."""
    return f"add `timezone: {zone}` to the files source"


def format_times_of_day(stamps: TimestampsUs) -> str:
    """The usual times of day of timestamps: `04:00 and 05:00`; more than three as a span."""
    times, counts = np.unique(stamps % DAY_US, return_counts=True)
    usual = times[counts >= 0.02 * stamps.size]
    texts = [_format_time(time) for time in usual.tolist()]
    if len(texts) > 3:
        return f"{texts[0]} to {texts[-1]}"
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]


def _format_time(micro: int) -> str:
    minutes = micro // MINUTE_US
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _check_hours(view: BarsView, sessions: Sessions) -> list[RuleViolation]:
    known = _within_known(view.unique_timestamps, sessions)
    stamps = view.unique_timestamps[known]
    if stamps.size < 2:
        return []
    volume = _volume_of(view, known)
    fit = fit_clock(stamps, view.bar_length_us, sessions, volume)
    zone = None if fit.fits else _find_zone(view, known, sessions, volume, fit)
    is_little = fit.days < _FEW_DAYS or (
        fit.outside_share <= _MAX_OUTSIDE_SHARE and not fit.has_far_week
    )
    if fit.fits or (zone is None and fit.covers_hours and is_little):
        return []
    wrong = stamps[fit.outside] if fit.outside.any() else stamps
    rows = np.flatnonzero(np.isin(view.timestamps, wrong))
    day = _describe_day(stamps, fit, view, sessions)
    if zone is None:
        advice = (
            "declare the time zone of the timestamps with `timezone` of the files source, or use "
            "the calendar of the market that the bars are of; `quality: {clock: warn}` accepts "
            "them as they are"
        )
        return [RuleViolation(rows, f"{day}; no time zone makes them fit", advice=advice)]
    advice = (
        f"{declare_zone(zone)}; timestamps that are written with an offset, or as numbers since "
        "1970, do not depend on it: correct them in the file"
    )
    return [RuleViolation(rows, f"{day}; they fit the clock of {zone}", advice=advice)]


def _within_known(stamps: TimestampsUs, sessions: Sessions) -> npt.NDArray[np.bool_]:
    """Timestamps near the known sessions: of other times nothing is known."""
    first, last = sessions.opens[0] - DAY_US, sessions.closes[-1] + DAY_US
    return np.asarray((stamps >= first) & (stamps <= last))


def _volume_of(view: BarsView, known: npt.NDArray[np.bool_]) -> Vector | None:
    """The volume at each known distinct timestamp; None where it is not known."""
    first = np.unique(view.timestamps, return_index=True)[1][known]
    volume = np.nan_to_num(view.volume[first], nan=0.0, posinf=0.0, neginf=0.0)
    return np.maximum(volume, 0.0) if (volume > 0.0).any() else None


def _describe_day(stamps: TimestampsUs, fit: ClockFit, view: BarsView, sessions: Sessions) -> str:
    """The bars of one day beside the hours of its session."""
    example = stamps[fit.outside][fit.outside.sum() // 2] if fit.outside.any() else stamps[0]
    own = np.argmin(np.abs((sessions.opens + sessions.closes) // 2 - example))
    day = _run_around(stamps, int(example))
    hours = f"{_at(sessions.opens[own])} to {_at(sessions.closes[own])} UTC"
    where = f"{view.calendar} trades from {hours}"
    if day.size:
        begins, ends = _at(day[0]), _at(day[-1])
        where += f" on {pd.Timestamp(sessions.days[own], unit='us'):%Y-%m-%d}, and the file has "
        where += f"bars from {begins} to {ends} then"
    if not fit.outside.any():
        return f"bars do not move with the hours of the exchange: {where}"
    return f"bars lie outside the hours of {view.calendar}: {where}"


def _run_around(stamps: TimestampsUs, example: int) -> TimestampsUs:
    """The bars of the same day as one of them: without a pause of four hours between them."""
    position = int(np.searchsorted(stamps, example))
    near = stamps[max(position - 1_500, 0) : position + 1_500]
    breaks = near[np.flatnonzero(np.diff(near) > 4 * HOUR_US) + 1]
    begin = breaks[breaks <= example].max(initial=example - DAY_US // 2)
    end = breaks[breaks > example].min(initial=example + DAY_US // 2)
    return np.asarray(near[(near >= begin) & (near < end)])


def _at(micro: int) -> str:
    return _format_time(int(micro) % DAY_US)


def _find_zone(
    view: BarsView,
    known: npt.NDArray[np.bool_],
    sessions: Sessions,
    volume: Vector | None,
    unread: ClockFit,
) -> str | None:
    """The zone in which the timestamps fit the hours of the exchange; None where none does."""
    naive = view.unique_timestamps[known]
    if view.timezone is not None:
        naive = to_local(naive, view.timezone)
    chosen = _sample(naive)
    naive, volume = naive[chosen], None if volume is None else volume[chosen]
    own = str(sessions.zone)
    undeclared = [] if view.timezone is None else ["UTC"]
    zones = dict.fromkeys([own, *undeclared, *ZONES, *_FIXED_ZONES, *_HALF_HOUR_ZONES])
    best, best_score = None, -np.inf
    for zone in zones:
        stamps = local_to_utc(naive, zone)
        if stamps is None:
            continue
        fit = fit_clock(stamps, view.bar_length_us, sessions, volume)
        score = fit.edge_share - fit.outside_share
        is_evidence = (
            unread.days >= _FEW_DAYS
            or not unread.covers_hours
            or not unread.within_extended_hours
            or (zone == own and fit.edge_share == 1.0)
        )
        if fit.fits and is_evidence and score > best_score + 0.01:
            best, best_score = zone, score
        if best == own:
            break
    return best


def to_local(stamps: TimestampsUs, zone: str) -> IntVector:
    """Instants as the times that the clocks of a zone show."""
    utc = pd.DatetimeIndex(stamps.astype("datetime64[us]")).tz_localize("UTC")
    return index_to_microseconds(utc.tz_convert(zone).tz_localize(None))


def local_to_utc(naive: TimestampsUs, zone: str) -> IntVector | None:
    """Local times of a zone as instants; None where its clocks skipped or repeated one of them."""
    local = pd.DatetimeIndex(naive.astype("datetime64[us]"))
    utc = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    if utc.isna().any():
        return None
    stamps = index_to_microseconds(utc)
    return stamps if (np.diff(stamps) > 0).all() else None


def _sample(stamps: TimestampsUs) -> npt.NDArray[np.bool_]:
    """Whole weeks, evenly over the file, of not much more than `_MAX_COMPARED` bars."""
    every = -(-stamps.size // _MAX_COMPARED)
    week = (stamps // DAY_US + 3) // 7
    return np.asarray(week % every == 0) if every > 1 else np.ones(stamps.size, dtype=bool)


def _check_days(view: BarsView, sessions: Sessions) -> list[RuleViolation]:
    """Daily bars at times of day, or on days on which the exchange is closed."""
    stamps = view.unique_timestamps
    at_midnight = stamps % DAY_US == 0
    if at_midnight.mean() > 0.5:
        return [] if view.bar_length_us > DAY_US else _check_closed_days(view, sessions)
    if _are_local_midnights(view, sessions) or _are_last_minutes(view):
        return []
    rows = np.flatnonzero(view.timestamps % DAY_US != 0)
    description = (
        f"bars lie at {format_times_of_day(stamps)} UTC, and a bar of {view.interval} is labelled "
        "by midnight UTC of its date"
    )
    return [RuleViolation(rows, description, advice=_advise_days(view, sessions))]


def _check_closed_days(view: BarsView, sessions: Sessions) -> list[RuleViolation]:
    closed = on_closed_days(view)
    if closed.sum() < _MIN_CLOSED or closed.mean() <= MAX_CLOSED_SHARE:
        return []
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[closed]))
    description = (
        f"bars lie on days on which {view.calendar} was closed, more than holidays explain"
    )
    for days, text in ((1, "before"), (-1, "after")):
        moved = sessions.find_days(view.unique_timestamps + days * DAY_US)
        if (moved < 0).mean() <= MAX_CLOSED_SHARE / 5:
            description += f"; every bar is dated the day {text} its session"
            advice = _advise_moved_days(view)
            return [RuleViolation(rows, description, advice=advice)]
    advice = "use the calendar of the market that the bars are of: `24/7` where it never closes"
    return [RuleViolation(rows, description, advice=advice)]


def _advise_moved_days(view: BarsView) -> str:
    if view.timezone is not None:
        return (
            f"remove `timezone: {view.timezone}`: the timestamps have an offset, and are dates in "
            "UTC or in another zone"
        )
    return "correct the dates in the file, or use another source"


def _are_local_midnights(view: BarsView, sessions: Sessions) -> bool:
    """Whether daily bars lie at midnight of the exchange, each in another session."""
    stamps = view.unique_timestamps[view.unique_timestamps % DAY_US != 0]
    if not stamps.size:
        return False
    local = sessions.local_days(stamps)
    utc = local_to_utc(local, str(sessions.zone))
    if utc is None or (utc != stamps).mean() > 0.02:
        return False
    return view.bar_length_us > DAY_US or _are_sessions(local, sessions)


def _are_last_minutes(view: BarsView) -> bool:
    """Whether bars are labelled by the last minute of a day, which the rule `off_grid` repairs."""
    time = view.unique_timestamps % DAY_US
    return bool((time >= DAY_US - MINUTE_US).mean() > 0.5)


def _are_sessions(days: IntVector, sessions: Sessions) -> bool:
    """Whether dates are sessions of the exchange, each once, but for a few."""
    known = days[(days >= sessions.days[0]) & (days <= sessions.days[-1])]
    if not known.size:
        return False
    closed = (sessions.find_days(known) < 0).mean()
    return bool(closed <= MAX_CLOSED_SHARE / 2) and np.unique(days).size == days.size


def _advise_days(view: BarsView, sessions: Sessions) -> str:
    """The key that makes sessions of daily timestamps.

    A time zone is named where the date as it stands and the date in the zone are both sessions, or
    where the one that is none cannot be meant.
    """
    stamps, zone = view.unique_timestamps, str(sessions.zone)
    if view.calendar == WEEKDAYS_ONLY:
        return advise_day_begin(stamps)
    dates = stamps // DAY_US * DAY_US
    if view.bar_length_us > DAY_US or _are_sessions(dates, sessions):
        return declare_zone(zone)
    if _are_sessions(sessions.local_days(stamps), sessions):
        return declare_zone(zone)
    return advise_day_begin(stamps)


def advise_day_begin(stamps: TimestampsUs, *, daily: bool = True) -> str:
    """The key `day_begins` that labels these days; a time is named where daily bars have one.

    Args:
        stamps: Microseconds since 1970.
        daily: Whether they are of daily bars.
    """
    for zone in ("UTC", "America/New_York", "Europe/London") if daily else ():
        times = np.unique(to_local(stamps, zone) % DAY_US)
        if times.size == 1 and times[0] % (HOUR_US // 2) == 0:
            return f'add `day_begins: "{_format_time(int(times[0]))} {zone}"` to the dataset'
    return (
        'say when a day begins with `day_begins: "HH:MM ZONE"` of the dataset, such as '
        '`day_begins: "17:00 America/New_York"` of FX'
    )

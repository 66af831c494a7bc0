"""Finds the calendar and the zone of bars within a day: the exchange whose hours they have."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.proposal._calendar_guess import (
    CANDIDATES,
    FUTURES,
    TIE,
    WEEKDAYS,
    CalendarGuess,
    assumed_zone,
    find_schedule,
    local_to_utc,
    zone_of,
)
from engine.data.proposal._clock import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.core.types import IntVector
    from engine.data.proposal._calendar_guess import BarTimes

OTHER_ZONES = (
    *("America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin", "Europe/Athens"),
    *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney"),
    *(f"Etc/GMT{offset:+d}" for offset in range(-12, 13) if offset),
)
"""Zones in which vendors and brokers write times, beside UTC and the exchange's own."""

_GOOD_HOURS, _POOR_HOURS = 0.9, 0.7
_SAMPLE_DAYS, _MIN_DAYS = 400, 5
_SIMILAR, _MAX_SIMILAR = 0.06, 10


def guess_hours(times: BarTimes, given: str | None) -> CalendarGuess:
    """The calendar and zone whose hours are those of the bars."""
    stamps = times.stamps[times.stamps >= times.stamps.iloc[-1] - pd.Timedelta(days=_SAMPLE_DAYS)]
    candidates = {given: zone_of(given)} if given else _with_similar_hours(times, stamps)
    found = [
        (score, calendar, zone)
        for calendar, own in candidates.items()
        for zone, score in _score_zones(times, stamps, calendar, _zones(times, own))
    ]
    if given and times.is_local and times.zone is None:
        best = max((score for score, _, _ in found), default=0.0)
        if best < _GOOD_HOURS:
            found += [
                (score, given, zone)
                for zone, score in _score_zones(times, stamps, given, OTHER_ZONES)
            ]
    if not found:
        zone, why = assumed_zone(times)
        return CalendarGuess(given or ALWAYS_OPEN, "no calendar fits", zone, why, (), False)
    best, calendar, zone = max(found, key=lambda entry: entry[0])
    others = tuple(
        dict.fromkeys(name for score, name, _ in found if score >= best - TIE and name != calendar)
    )
    reason = "as given" if given else f"its hours agree with {best:.1%} of bars and sessions"
    days = stamps.dt.normalize().nunique()
    if given is None and (best < _POOR_HOURS or days < _MIN_DAYS):
        zone, why = assumed_zone(times)
        few = f"{days} days are too few to tell it" if days < _MIN_DAYS else "no exchange fits"
        reason = f"{few}: such as 24/5 for currencies or XNYS for stocks"
        return CalendarGuess(ALWAYS_OPEN, reason, zone, why, (), is_certain=False)
    declared = zone if times.is_local and times.zone is None else None
    why = f"the bars then lie in the hours of {calendar}" if declared else ""
    return CalendarGuess(calendar, reason, declared, why, others, best >= _GOOD_HOURS)


def _with_similar_hours(times: BarTimes, stamps: pd.Series) -> dict[str, str]:
    """The calendars whose usual hours, on all weekdays, fit the bars best.

    Building a calendar takes a while, and few can be those of the bars.
    """
    scores: dict[str, float] = {}
    length = int(interval_length(times.interval) / pd.Timedelta(minutes=1))
    for calendar, own in CANDIDATES.items():
        hours = usual_hours(calendar)
        if hours is not None:
            scores[calendar] = max(
                _score_usual_hours(stamps, zone, own, hours, length) for zone in _zones(times, own)
            )
    best = max(scores.values())
    similar = [name for name in scores if scores[name] >= best - _SIMILAR]
    chosen = sorted(similar, key=lambda name: -scores[name])[:_MAX_SIMILAR]
    return {name: zone for name, zone in CANDIDATES.items() if name in chosen}


def usual_hours(calendar: str) -> tuple[int, int] | None:
    """Minutes after local midnight at which an exchange opens and closes today.

    None for a market that is open at night.
    """
    if calendar in (WEEKDAYS, FUTURES):
        return None
    module = import_module(f"exchange_calendars.exchange_calendar_{calendar.lower()}")
    found = next(one for one in vars(module).values() if getattr(one, "name", None) == calendar)
    opens, closes = found.open_times[-1][1], found.close_times[-1][1]
    return opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute


def _score_usual_hours(
    stamps: pd.Series, zone: str | None, own: str, hours: tuple[int, int], length: int
) -> float:
    """As `_score_hours`, as if every day with bars were a session of these hours."""
    utc = stamps if zone is None else local_to_utc(stamps, zone)
    local = utc.dt.tz_convert(own)
    minutes = local.dt.hour * 60 + local.dt.minute
    inside = (minutes + length > hours[0]) & (minutes < hours[1])
    slots = local.dt.normalize().nunique() * np.ceil((hours[1] - hours[0]) / length)
    return _harmonic_mean(float(inside.mean()), min(float(inside.sum() / slots), 1.0))


def _harmonic_mean(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision * recall else 0.0


def _zones(times: BarTimes, own: str) -> tuple[str | None, ...]:
    """The zones in which local times may be: UTC and the exchange's."""
    if not times.is_local:
        return (None,)
    return (times.zone,) if times.zone is not None else ("UTC", own)


def _score_zones(
    times: BarTimes, stamps: pd.Series, calendar: str, zones: Iterable[str | None]
) -> Iterator[tuple[str | None, float]]:
    first, last = stamps.iloc[0], stamps.iloc[-1]
    day = pd.Timedelta(days=1)
    table = find_schedule(
        calendar,
        (first - day).tz_localize(None).normalize(),
        (last + day).tz_localize(None).normalize(),
    )
    if table is None:
        return
    length = int(interval_length(times.interval) / pd.Timedelta(microseconds=1))
    for zone in zones:
        utc = to_microseconds(stamps if zone is None else local_to_utc(stamps, zone))
        yield zone, _score_hours(utc, length, table)


def _score_hours(stamps: IntVector, length: int, table: pd.DataFrame) -> float:
    """Harmonic mean of the bars in trading hours and of the hours that have a bar.

    A tenth of it counts the sessions whose open is the beginning of a bar: exchanges that open
    half an hour apart may have the same bars in their hours.
    """
    opens, closes = to_microseconds(table["open"]), to_microseconds(table["close"])
    within = (closes > stamps.min()) & (opens <= stamps.max())
    opens, closes, rows = opens[within], closes[within], table[within]
    if not opens.size:
        return 0.0
    index = np.minimum(np.searchsorted(closes, stamps, side="right"), len(closes) - 1)
    inside = (stamps + length > opens[index]) & (stamps < closes[index])
    breaks = rows["break_start"].notna().to_numpy()
    if breaks.any():
        begins = to_microseconds(rows["break_start"].fillna(rows["close"]))
        ends = to_microseconds(rows["break_end"].fillna(rows["close"]))
        inside &= ~((stamps >= begins[index]) & (stamps + length <= ends[index]))
        pause = np.where(breaks, ends - begins, 0)
    else:
        pause = np.zeros_like(opens)
    slots = int(np.ceil((closes - opens - pause) / length).sum())
    fit = _harmonic_mean(float(inside.mean()), min(float(inside.sum()) / max(slots, 1), 1.0))
    return fit * (0.9 + 0.1 * float(np.isin(opens, stamps).mean()))

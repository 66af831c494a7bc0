"""Tells currencies from futures, and their zone, by when their weeks begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.proposal._calendar_guess import FUTURES, WEEKDAYS, CalendarGuess, local_to_utc
from engine.data.proposal._clock import to_microseconds
from engine.data.proposal._hours import OTHER_ZONES

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import IntVector
    from engine.data.proposal._calendar_guess import BarTimes

_NEW_YORK = "America/New_York"
_CLOCK_HOURS = 22
_MIN_HOUR_SHARE = 0.005
_WEEKEND_PAUSE_US = 40 * 3_600_000_000
_MIN_WEEKENDS = 0.8


def is_around_the_clock(stamps: pd.Series) -> bool:
    """Whether bars have almost every hour of the day."""
    shares = stamps.dt.hour.value_counts(normalize=True)
    return int((shares >= _MIN_HOUR_SHARE).sum()) >= _CLOCK_HOURS


def guess_weekdays(times: BarTimes) -> CalendarGuess:
    """Bars around the clock on weekdays: currencies, or futures with a daily halt."""
    zone, why, certain = None, "", True
    stamps = times.stamps
    if times.is_local:
        zone = times.zone or _zone_of_weekends(stamps)
        certain = zone is not None
        if zone is None:
            zone = "UTC"
            why = "assumed: no zone that was tried begins the week at 17:00 in New York"
        elif times.zone is None:
            why = "weeks then begin and end at 17:00 in New York; other zones may too"
        stamps = local_to_utc(stamps, zone)
    hours = stamps.dt.tz_convert(_NEW_YORK).dt.hour
    after = _week_begins(stamps)
    first = int(hours.iloc[after].mode().iloc[0]) if after.size else 17
    halted = float((hours == 17).mean()) < _MIN_HOUR_SHARE
    is_futures = halted or first == 18
    calendar, other = (FUTURES, WEEKDAYS) if is_futures else (WEEKDAYS, FUTURES)
    what = "none at 17:00 in New York" if halted else f"weeks begin at {first}:00 in New York"
    reason = f"bars around the clock from Monday to Friday, {what}"
    declared = None if times.zone is not None else zone
    begins = f"17:00 {_NEW_YORK}" if calendar == WEEKDAYS and first == 17 else ""
    why = why if declared else ""
    return CalendarGuess(calendar, reason, declared, why, (other,), certain, begins)


def _week_begins(stamps: pd.Series) -> IntVector:
    """Positions of the first bars after pauses of a weekend."""
    return np.flatnonzero(np.diff(to_microseconds(stamps)) > _WEEKEND_PAUSE_US) + 1


def _zone_of_weekends(stamps: pd.Series) -> str | None:
    """The zone in which weeks begin and end at 17:00 in New York, where one is."""
    after = _week_begins(stamps)
    if after.size < 2:
        return None
    begins, ends = stamps.iloc[after], stamps.iloc[after - 1]
    scores = {}
    for zone in ("UTC", *OTHER_ZONES):
        opened = local_to_utc(begins, zone).dt.tz_convert(_NEW_YORK).dt.hour
        closed = local_to_utc(ends, zone).dt.tz_convert(_NEW_YORK).dt.hour
        scores[zone] = (float((opened == 17).mean()) + float((closed == 16).mean())) / 2
    best = max(scores, key=lambda zone: scores[zone])
    return best if scores[best] >= _MIN_WEEKENDS else None

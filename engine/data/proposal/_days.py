"""Finds the calendar of days: the one whose sessions they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN
from engine.data.proposal._calendar_guess import (
    CANDIDATES,
    FUTURES,
    TIE,
    WEEKDAYS,
    CalendarGuess,
    find_schedule,
    zone_of,
)

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.data.proposal._calendar_guess import BarTimes

_SAME_DAYS, _GOOD_DAYS, _MIN_TELLING_DAYS = 0.998, 0.97, 200
_EURONEXT = ("XPAR", "XAMS", "XBRU", "XLIS")
_SAMPLE_DAYS = 1500
_MIN_NEW_YEARS = 2


def guess_long_bars(times: BarTimes, given: str | None) -> CalendarGuess:
    """Weeks and months, which do not tell their calendar."""
    zone, why = find_day_zone(times)
    reason = "weeks and months do not tell it: such as XNYS for stocks, 24/5 for currencies"
    return CalendarGuess(given or ALWAYS_OPEN, "as given" if given else reason, zone, why)


def _candidates(stamps: pd.Series) -> dict[str, str]:
    """The calendars that days may have; with bars on New Year's Days, no exchange of shares."""
    first = stamps[(stamps.dt.month == 1) & (stamps.dt.day == 1)]
    if len(first) < _MIN_NEW_YEARS:
        return CANDIDATES
    return {name: zone for name, zone in CANDIDATES.items() if name in (WEEKDAYS, FUTURES)}


def find_day_zone(times: BarTimes) -> tuple[str | None, str]:
    """The zone to declare for days that do not begin at midnight UTC, and why; or None.

    Local times are those of their date. Others are those of the first zone in which they are
    midnight.
    """
    stamps = times.stamps
    if (stamps == stamps.dt.floor("D")).all() or times.zone not in (None, "UTC"):
        return None, ""
    if times.is_local:
        return "UTC", "a day is that of its date, whatever its time"
    for zone in dict.fromkeys(CANDIDATES.values()):
        local = stamps.dt.tz_convert(zone)
        if (local.dt.hour * 60 + local.dt.minute == 0).mean() > _GOOD_DAYS:
            return zone, "the days begin at midnight in this zone"
    return None, ""


def guess_days(times: BarTimes, given: str | None) -> CalendarGuess:
    """The calendar whose sessions are the days of the bars."""
    candidates = {given: zone_of(given)} if given else _candidates(times.stamps)
    sample = times.stamps.iloc[-_SAMPLE_DAYS:]
    at_midnight = bool((sample == sample.dt.floor("D")).all())
    found: list[tuple[float, str, str | None]] = []
    for calendar, zone in candidates.items():
        days = _local_days(sample, zone, is_local=times.is_local or at_midnight)
        if days is None:
            continue
        score = _score_days(days, calendar)
        if score is not None:
            found.append((score, calendar, None if at_midnight else zone))
        telling = days.size >= _MIN_TELLING_DAYS and calendar not in _EURONEXT
        if telling and score is not None and score >= _SAME_DAYS:
            break  # The holidays of a year are those of one exchange, but for Euronext.
    if not found:
        return CalendarGuess(
            given or ALWAYS_OPEN,
            "as given" if given else "no calendar fits: the days begin at changing times",
            is_certain=False,
        )
    best, calendar, own = max(found, key=lambda entry: entry[0])
    others = tuple(name for score, name, _ in found if score >= best - TIE and name != calendar)
    reason = f"its sessions are {best:.1%} of the days of the bars and of the sessions"
    why = "the days of the bars are those of this zone" if own else ""
    return CalendarGuess(
        calendar, "as given" if given else reason, own, why, others, best >= _GOOD_DAYS
    )


def _local_days(stamps: pd.Series, zone: str, *, is_local: bool) -> IntVector | None:
    """Dates as days since 1970; None where the bars have changing times of day in the zone."""
    local = stamps if is_local else stamps.dt.tz_convert(zone)
    minutes = local.dt.hour * 60 + local.dt.minute
    if not is_local and minutes.value_counts(normalize=True).iloc[0] < _GOOD_DAYS:
        return None
    naive = local.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    return np.unique(naive.astype(np.int64))


def _score_days(days: IntVector, calendar: str) -> float | None:
    """Days that are sessions over days and sessions together; None where the calendar ends."""
    first, last = (pd.Timestamp(int(day), unit="D") for day in (days[0], days[-1]))
    table = find_schedule(calendar, first, last)
    if table is None:
        return None
    sessions = pd.DatetimeIndex(table.index).to_numpy().astype("datetime64[D]").astype(np.int64)
    sessions = sessions[(sessions >= days[0]) & (sessions <= days[-1])]
    both = np.intersect1d(days, sessions).size
    return both / max(np.union1d(days, sessions).size, 1)

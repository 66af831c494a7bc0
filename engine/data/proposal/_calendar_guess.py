"""What is known of the bars whose calendar is looked for, and of the calendar that is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.data.calendar import exchange_timezone, is_daily_or_longer, trading_schedule

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.calendar import BarInterval

WEEKDAYS = "24/5"
FUTURES = "CMES"

CANDIDATES: dict[str, str] = {
    "XNYS": "America/New_York",
    "XTSE": "America/Toronto",
    "XMEX": "America/Mexico_City",
    "BVMF": "America/Sao_Paulo",
    "XBUE": "America/Argentina/Buenos_Aires",
    "XLON": "Europe/London",
    "XDUB": "Europe/Dublin",
    "XETR": "Europe/Berlin",
    "XPAR": "Europe/Paris",
    "XAMS": "Europe/Amsterdam",
    "XBRU": "Europe/Brussels",
    "XLIS": "Europe/Lisbon",
    "XMIL": "Europe/Rome",
    "XMAD": "Europe/Madrid",
    "XSWX": "Europe/Zurich",
    "XWBO": "Europe/Vienna",
    "XSTO": "Europe/Stockholm",
    "XHEL": "Europe/Helsinki",
    "XCSE": "Europe/Copenhagen",
    "XOSL": "Europe/Oslo",
    "XWAR": "Europe/Warsaw",
    "XIST": "Europe/Istanbul",
    "XJSE": "Africa/Johannesburg",
    "XSAU": "Asia/Riyadh",
    "XTAE": "Asia/Tel_Aviv",
    "XBOM": "Asia/Calcutta",
    "XSES": "Asia/Singapore",
    "XHKG": "Asia/Hong_Kong",
    "XSHG": "Asia/Shanghai",
    "XTAI": "Asia/Taipei",
    "XKRX": "Asia/Seoul",
    "XTKS": "Asia/Tokyo",
    "XASX": "Australia/Sydney",
    "XNZE": "Pacific/Auckland",
    WEEKDAYS: "UTC",
    FUTURES: "America/Chicago",
}
"""Calendars that bars are compared with, and the zone of each."""

TIE = 0.003
"""Calendars whose scores, of 1 at most, differ by less cannot be told apart."""


@dataclass(frozen=True)
class CalendarGuess:
    """The calendar and zone of bars.

    Attributes:
        calendar: `24/7` or a code of exchange-calendars.
        reason: Why, in a clause.
        timezone: The zone to declare; None where none is needed.
        zone_reason: Why; empty where none is declared.
        others: Calendars that fit as well.
        is_certain: Whether the bars fit it, rather than fitting nothing else better.
        day_begins: When a day begins, where the calendar does not say; may be empty.
    """

    calendar: str
    reason: str
    timezone: str | None = None
    zone_reason: str = ""
    others: tuple[str, ...] = ()
    is_certain: bool = True
    day_begins: str = ""


@dataclass(frozen=True)
class BarTimes:
    """The timestamps of the bars of a dataset.

    Attributes:
        stamps: UTC, each once, ascending; local times labelled as UTC where `is_local`.
        interval: Length of the bars.
        is_local: Whether they have no offset, so that a declared zone moves them.
        zone: The zone that is known already.
        calendar: The calendar that is known already; may be empty.
    """

    stamps: pd.Series
    interval: BarInterval
    is_local: bool
    zone: str | None = None
    calendar: str = ""


def assumed_zone(times: BarTimes) -> tuple[str | None, str]:
    """UTC, said to be an assumption, for local times that nothing tells the zone of."""
    if not times.is_local or times.zone is not None or is_daily_or_longer(times.interval):
        return None, ""
    return "UTC", "assumed: the times have no offset, and no closing time tells their zone"


def find_schedule(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame | None:
    """The sessions of a calendar; None where it does not cover these days."""
    try:
        table: pd.DataFrame = trading_schedule(calendar, first, last)
    except UsageError:
        return None
    return table if len(table) else None


def zone_of(calendar: str) -> str:
    """The zone of a calendar."""
    return CANDIDATES.get(calendar) or str(exchange_timezone(calendar))


def local_to_utc(stamps: pd.Series, zone: str) -> pd.Series:
    """Local times labelled as UTC, converted from a zone; skipped hours move forward."""
    local = stamps.dt.tz_localize(None)
    first_pass = np.ones(len(local), dtype=bool)
    zoned = local.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="shift_forward")
    utc: pd.Series = zoned.dt.tz_convert("UTC")
    return utc

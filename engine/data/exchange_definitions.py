"""The calendars of exchange-calendars, with all trading days and hours that they define."""

from __future__ import annotations

import warnings
from copy import copy
from datetime import time
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

Untyped: TypeAlias = Any
"""A class or an object of exchange-calendars, which ships no types."""

# exchange-calendars does not know all earlier holidays: of 1962-1969 it lacks 68 of New York.
_EARLIEST_START = pd.Timestamp("1970-01-01")

# No bars are older.
_FIRST_DAY = pd.Timestamp("1900-01-01")

# exchange-calendars lets a session of the CME last 24 hours; Globex halts at 16:00 in Chicago and
# opens again at 17:00.
_REGULAR_CLOSES = {"CMES": time(16)}


def known_span(calendar: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The days, without a time zone, from and to which a calendar knows all sessions.

    The first is of 1970 or later; the last is a year from now, or earlier where the holidays after
    it are not settled yet.
    """
    kind = corrected_class(calendar)
    first, last = kind.bound_min(), kind.default_end()
    return max(first, _EARLIEST_START) if first is not None else _EARLIEST_START, last


@lru_cache(maxsize=16)
def build_calendar(calendar: str, start: str | None = None) -> Untyped:
    """A calendar up to the last day it knows; one takes 0.3 s, whatever years it spans.

    Args:
        calendar: A code or alias of exchange-calendars.
        start: First day, ISO 8601, or the calendar's own first day where that is later; None is
            the first of `known_span`.
    """
    kind = corrected_class(calendar)
    first = known_span(calendar)[0]
    if start:
        first = max(pd.Timestamp(start), kind.bound_min() or pd.Timestamp(start))
    with warnings.catch_warnings():
        # exchange-calendars 4.13 calls what pandas 3.1 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        return kind(start=first)


@lru_cache(maxsize=16)
def list_closures(calendar: str) -> pd.DatetimeIndex:
    """The days without a session that a calendar lists one by one, UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        listed = build_calendar(calendar).adhoc_holidays
    days = pd.DatetimeIndex([pd.Timestamp(day) for day in listed])
    return days.tz_localize("UTC") if days.tz is None else days.tz_convert("UTC")


@lru_cache(maxsize=16)
def corrected_class(calendar: str) -> Untyped:
    """The class of a calendar, whose sessions are right whichever pandas 3 is installed.

    pandas 3.1 steps a subclass of `CustomBusinessDay` by the mask of the base class, and no longer
    calls the `_apply` of an offset. exchange-calendars 4.13.2 needs both: without this class the
    Saturdays on which Mumbai, Moscow and, until 1998, Seoul traded are missing, and neither Tel
    Aviv nor an exchange that closes on Orthodox Easter can be built.

    Args:
        calendar: A code or alias of exchange-calendars.
    """
    import exchange_calendars

    name = exchange_calendars.resolve_alias(calendar)
    kinds = [
        kind for kind in _list_subclasses(exchange_calendars.ExchangeCalendar) if kind.name == name
    ]
    # A class of precomputed holidays may have the same name.
    kind = next((one for one in kinds if one.__name__ == f"{name}ExchangeCalendar"), kinds[0])

    def regular_holidays(self: Untyped) -> Untyped:
        return _with_applied_offsets(super(corrected, self).regular_holidays)

    def special_closes(self: Untyped) -> Untyped:
        inherited = super(corrected, self).special_closes
        return [(at, _with_applied_offsets(days)) for at, days in inherited]

    members: dict[str, Untyped] = {
        "regular_holidays": cached_property(regular_holidays),
        "special_closes": cached_property(special_closes),
    }
    if hasattr(kind, "special_weekmasks"):
        members["day"] = cached_property(_day_of_weekmasks)
    if name in _REGULAR_CLOSES:
        members["close_times"] = ((None, _REGULAR_CLOSES[name]),)
    corrected: Untyped = type(kind.__name__, (kind,), members)
    return corrected


def _list_subclasses(kind: Untyped) -> Iterator[Untyped]:
    for one in kind.__subclasses__():
        yield one
        yield from _list_subclasses(one)


def _day_of_weekmasks(calendar: Untyped) -> pd.offsets.CustomBusinessDay:
    """The step from session to session: every day of the week, and all closed days as holidays.

    After a change of the mask the first session is that of the mask before, as exchange-calendars
    steps it: the only effect is that Moscow's of Sunday 2009-01-11 is left out.
    """
    last_day = calendar.default_end()
    days = _to_days(pd.date_range(_FIRST_DAY, last_day, freq="D").to_list())
    holidays = list(calendar.adhoc_holidays)
    if calendar.regular_holidays is not None:
        holidays += calendar.regular_holidays.holidays(_EARLIEST_START, last_day).to_list()
    is_holiday = np.isin(days, _to_days(holidays))
    masks = np.full(len(days), calendar.weekmask, dtype="U7")
    for first, last, weekmask in calendar.special_weekmasks:
        begin, end = _to_days([first or _FIRST_DAY, last or last_day])
        masks[(days >= begin) & (days <= end)] = weekmask
    is_open = np.zeros(len(days), dtype=bool)
    for weekmask in np.unique(masks):
        inside = masks == weekmask
        is_open[inside] = np.is_busday(days[inside], weekmask=str(weekmask))
    is_open &= ~is_holiday
    for change in np.flatnonzero(masks[1:] != masks[:-1]) + 1:
        by_mask_before = np.is_busday(days[change:], weekmask=str(masks[change - 1]))
        first = int(np.argmax(by_mask_before & ~is_holiday[change:]))
        if not is_open[change - 1]:
            is_open[change : change + first] = False
            is_open[change + first] = True
    return pd.offsets.CustomBusinessDay(
        weekmask="1111111", holidays=pd.DatetimeIndex(days[~is_open]).to_list()
    )


def _to_days(stamps: list[pd.Timestamp]) -> Untyped:
    return np.array(pd.DatetimeIndex(stamps).tz_localize(None), dtype="datetime64[D]")


def _with_applied_offsets(holidays: Untyped) -> Untyped:
    """The same holidays, whose offsets are applied here instead of by pandas."""
    from exchange_calendars.exchange_calendar import HolidayCalendar

    rules = getattr(holidays, "rules", None) or []
    if not any(_has_own_offset(rule) for rule in rules):
        return holidays
    return HolidayCalendar([_with_applied_offset(rule) for rule in rules])


def _has_own_offset(rule: Untyped) -> bool:
    return any(hasattr(offset, "_apply") for offset in _as_list(rule.offset))


def _with_applied_offset(rule: Untyped) -> Untyped:
    """A holiday whose offsets have become an observance, which pandas calls date by date."""
    if not _has_own_offset(rule):
        return rule
    steps = [*_as_list(rule.offset), *_as_list(rule.observance)]

    def observe(day: pd.Timestamp) -> pd.Timestamp:
        for step in steps:
            if hasattr(step, "_apply"):  # which pandas 3.1 does not call
                day = step._apply(day)
            else:
                day = step(day) if callable(step) else day + step
        return day

    other = copy(rule)
    other.offset, other.observance = None, observe
    return other


def _as_list(value: Untyped) -> list[Untyped]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

"""When weeks and months of a trading calendar end, as it is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from engine.data.calendar import (
    ALWAYS_OPEN,
    holidays_known_from,
    sessions_known_until,
    trading_schedule,
    unforeseen_closures,
)
from engine.data.intervals import bar_end
from engine.data.sessions import WEEKDAYS_ONLY, Sessions

if TYPE_CHECKING:
    from datetime import datetime

    from engine.data import Market
    from engine.data.sessions import DayBegin

PeriodEnd: TypeAlias = Literal["week_end", "month_end"]

_LONGEST_CLOSURE = 3
"""Periods without a session that may follow each other: no exchange closes for longer."""

_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class TradingCalendar:
    """The calendar of a market, by which it is known which close is the last one of a period.

    Attributes:
        calendar: `24/7` or a code of exchange-calendars.
        interval: Length of a bar.
        day_begins: When a day of `24/7` or `24/5` begins, where the dataset says so.
    """

    calendar: str
    interval: str
    day_begins: DayBegin | None = None

    @classmethod
    def of_market(cls, market: Market) -> TradingCalendar:
        """That of the bars of a market."""
        begins = market.day_begins if market.calendar in (ALWAYS_OPEN, WEEKDAYS_ONLY) else None
        return cls(market.calendar, market.interval, begins)

    def ends_period(self, before: datetime, bar: datetime, kind: PeriodEnd) -> bool:
        """Whether a bar is the first one whose close is not before the end of a period.

        That is the bar of the last session of the week or month, whether another bar has come or
        not. Where a dataset lacks that bar it is the next one that it has.

        Args:
            before: Timestamp of the bar before.
            bar: Timestamp of the bar.
            kind: The period.
        """
        closed, known = (
            bar_end(pd.Timestamp(each), self.interval).tz_convert("UTC") for each in (bar, before)
        )
        day = (closed - pd.Timedelta(microseconds=1)).normalize()
        for _ in range(_LONGEST_CLOSURE + 1):
            begin = _begin(day, kind)
            end = _end_of_trading(self.calendar, begin, kind, self.day_begins)
            if end is not None and end <= closed:
                return end > known
            day = begin - _DAY
        return False

    def knows(self, first: pd.Timestamp, last: pd.Timestamp) -> bool:
        """Whether the sessions between two timestamps are known."""
        if self.calendar == ALWAYS_OPEN:
            return True
        return bool(
            holidays_known_from(self.calendar) <= first
            and last <= sessions_known_until(self.calendar) + _DAY
        )


def _begin(day: pd.Timestamp, kind: PeriodEnd) -> pd.Timestamp:
    """The first day of the period of a day: a Monday, or the first of a month."""
    if kind == "month_end":
        return day.replace(day=1)
    return day - pd.Timedelta(days=day.weekday())


@lru_cache(maxsize=4096)
def _end_of_trading(
    calendar: str, begin: pd.Timestamp, kind: PeriodEnd, day_begins: DayBegin | None
) -> pd.Timestamp | None:
    """When the last session of a period closes; None where it has no session.

    Where not all sessions of the period are known it is the end of the period itself. A day on
    which the exchange stayed closed unexpectedly counts as a session, as it did before.
    """
    length = pd.DateOffset(months=1) if kind == "month_end" else pd.Timedelta(weeks=1)
    end: pd.Timestamp = begin + length
    if day_begins is not None:
        first, last = (each.tz_localize(None) for each in (begin, end - _DAY))
        days = Sessions.between(calendar, first, last, day_begins)
        inside = (days.days >= first.value // 1_000) & (days.days <= last.value // 1_000)
        return pd.Timestamp(int(days.closes[inside].max()), unit="us", tz="UTC")
    if not TradingCalendar(calendar, "1d").knows(begin, end - _DAY) or calendar == ALWAYS_OPEN:
        return end
    closes = trading_schedule(calendar, begin, end - _DAY)["close"]
    closed = unforeseen_closures(calendar)
    unforeseen = closed[(closed >= begin) & (closed < end)] + _DAY
    instants: list[pd.Timestamp] = [*closes, *unforeseen]
    return max(instants) if instants else None

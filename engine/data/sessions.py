"""Sessions of a calendar, and the one rule that assigns a bar to its session."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from engine.data.calendar import (
    ALWAYS_OPEN,
    exchange_timezone,
    holidays_known_from,
    trading_schedule,
)

if TYPE_CHECKING:
    from datetime import tzinfo

    import numpy.typing as npt

    from engine.core.types import IntVector

MICROSECOND = pd.Timedelta(microseconds=1)
DAY_US = int(pd.Timedelta(days=1) / MICROSECOND)

LONG_SESSION_US = 20 * DAY_US // 24
"""A session of that length has a daily halt which the calendar does not know."""

MIN_HALT_SHARE = 0.5
"""A time at which that share of such sessions has no bar is a halt."""

WEEKDAYS_ONLY = "24/5"
"""The calendar of exchange-calendars that is open from Monday to Friday, UTC."""

# Days that begin at noon or later carry the next date: the most of their hours lie in it.
_NEXT_DATE_FROM = pd.Timedelta(hours=12)


@dataclass(frozen=True)
class DayBegin:
    """When a day begins, where the calendar does not say: `17:00 America/New_York`.

    Attributes:
        time: Since local midnight.
        zone: IANA name of its time zone.
    """

    time: pd.Timedelta
    zone: str

    def __str__(self) -> str:
        """As it is written in a manifest."""
        minutes = self.time // pd.Timedelta(minutes=1)
        return f"{minutes // 60:02d}:{minutes % 60:02d} {self.zone}"

    @classmethod
    def parse(cls, text: str) -> DayBegin:
        """Reads `HH:MM ZONE`.

        Raises:
            ValueError: The text has another form, or there is no such time or zone.
        """
        clock, _, zone = text.strip().partition(" ")
        hours, _, minutes = clock.partition(":")
        written = re.fullmatch("[0-9]{1,2}:[0-9]{1,2}", clock)
        if not (written and int(hours) < 24 and int(minutes) < 60):
            raise ValueError("expected a time and a zone such as 17:00 America/New_York")
        try:
            ZoneInfo(zone.strip())
        except (LookupError, ValueError, OSError):
            raise ValueError(
                "expected a time and the IANA name of a time zone such as 17:00 America/New_York"
            ) from None
        return cls(pd.Timedelta(hours=int(hours), minutes=int(minutes)), zone.strip())

    def begins(self, days: IntVector) -> IntVector:
        """When the days of these dates begin, microseconds since 1970.

        A day that begins at noon or later begins on the evening before its date.

        Args:
            days: Midnight UTC of each date, microseconds since 1970.
        """
        local = pd.DatetimeIndex(days.astype("datetime64[us]")) + self.time
        if self.time >= _NEXT_DATE_FROM:
            local -= pd.Timedelta(days=1)
        first_pass = np.ones(len(local), dtype=bool)
        zoned = local.tz_localize(self.zone, ambiguous=first_pass, nonexistent="shift_forward")
        return index_to_microseconds(zoned)


@dataclass(frozen=True, eq=False)
class Sessions:
    """Sessions of a calendar, ascending. All times are int64 microseconds since 1970.

    Attributes:
        days: Midnight UTC of each one's date.
        opens: When each opens.
        closes: When it closes.
        span_begins: When each span of trading begins: a session, or a half of it where it has a
            break.
        span_ends: When it ends.
        span_sessions: Position of the session of each span.
        zone: Time zone of the exchange, or of the dataset's days.
    """

    days: IntVector
    opens: IntVector
    closes: IntVector
    span_begins: IntVector
    span_ends: IntVector
    span_sessions: IntVector
    zone: tzinfo

    @classmethod
    def between(
        cls,
        calendar: str,
        first: pd.Timestamp,
        last: pd.Timestamp,
        day_begins: DayBegin | None = None,
    ) -> Sessions:
        """The sessions of the dates from first to last.

        Args:
            calendar: A code of exchange-calendars; `24/7` only with `day_begins`.
            first: Date, inclusive.
            last: Date, inclusive.
            day_begins: When a day of `24/7` or `24/5` begins; the sessions of other calendars are
                those of their exchange.

        Raises:
            UsageError: exchange-calendars knows no calendar of that name, or not for these days.
        """
        if calendar in (ALWAYS_OPEN, WEEKDAYS_ONLY) and day_begins is not None:
            dates = pd.date_range(first.date(), last.date(), freq="D").as_unit("us")
            if calendar == WEEKDAYS_ONLY:
                dates = dates[dates.day_of_week < 5]
            days = dates.to_numpy().astype(np.int64)
            opens, closes = day_begins.begins(days), day_begins.begins(days + DAY_US)
            order = np.arange(len(days))
            return cls(days, opens, closes, opens, closes, order, ZoneInfo(day_begins.zone))
        return cls._from_schedule(
            trading_schedule(calendar, first, last), exchange_timezone(calendar)
        )

    @classmethod
    def known_around(
        cls, calendar: str, first: int, last: int, day_begins: DayBegin | None = None
    ) -> Sessions:
        """The known sessions from a week before the first instant to a week after the last.

        Empty where the calendar knows none of them: an exchange's holidays are known from 1970 or
        later on.

        Args:
            calendar: As in `between`.
            first: Microseconds since 1970.
            last: Microseconds since 1970.
            day_begins: As in `between`.

        Raises:
            UsageError: exchange-calendars knows no calendar of that name.
        """
        begin, end = (
            pd.Timestamp(instant // DAY_US * DAY_US + days * DAY_US, unit="us", tz="UTC")
            for instant, days in ((first, -7), (last, 7))
        )
        if calendar != ALWAYS_OPEN:
            begin = max(begin, holidays_known_from(calendar))
        if begin > end:
            none = np.array([], dtype=np.int64)
            return cls(none, none, none, none, none, none, exchange_timezone(calendar))
        return cls.between(calendar, begin, end, day_begins)

    @classmethod
    def _from_schedule(cls, table: pd.DataFrame, zone: tzinfo) -> Sessions:
        opens, closes, pauses, ends = (
            index_to_microseconds(pd.DatetimeIndex(table[name]))
            for name in ("open", "close", "break_start", "break_end")
        )
        has_break = table["break_start"].notna().to_numpy(dtype=bool)
        order = np.arange(len(table))
        begins = np.concatenate([opens, ends[has_break]])
        by_time = np.argsort(begins, kind="stable")
        return cls(
            days=index_to_microseconds(pd.DatetimeIndex(table.index)),
            opens=opens,
            closes=closes,
            span_begins=begins[by_time],
            span_ends=np.concatenate([np.where(has_break, pauses, closes), closes[has_break]])[
                by_time
            ],
            span_sessions=np.concatenate([order, order[has_break]])[by_time],
            zone=zone,
        )

    def locate_spans(
        self, opens: IntVector, length: int
    ) -> tuple[npt.NDArray[np.bool_], IntVector]:
        """Of each bar, whether it overlaps trading hours, and the first span that ends after it.

        Args:
            opens: When bars shorter than a day open.
            length: Of a bar.
        """
        if not self.days.size:
            return np.zeros(len(opens), dtype=bool), np.zeros(len(opens), dtype=np.int64)
        span = np.searchsorted(self.span_ends, opens, side="right")
        span = np.minimum(span, len(self.span_ends) - 1)
        inside = (opens + length > self.span_begins[span]) & (opens < self.span_ends[span])
        return inside, span

    def locate_bars(self, opens: IntVector, length: int) -> IntVector:
        """Position of the session that each bar belongs to; -1 where there is none.

        A bar shorter than a day belongs to the session whose trading hours it overlaps; an evening
        session is the one of the next date. Outside all hours it belongs to the session of its
        date in the exchange's time zone: trading before the open and after the close.

        A daily bar at midnight UTC is labelled by its date, whatever the zone. At another time it
        belongs to the session in whose hours the timestamp lies, or else to the session of its
        date in the exchange's time zone.

        Args:
            opens: Timestamps of bars.
            length: Of a bar.
        """
        if not self.days.size:
            return np.full(len(opens), -1)
        daily = length >= DAY_US
        inside, span = self.locate_spans(opens, 1 if daily else length)
        found = np.where(inside, self.span_sessions[span], -1)
        if daily:
            dated = opens % DAY_US == 0
            found[dated] = self.find_days(opens[dated])
            inside = inside | dated
        found[~inside] = self.find_days(self.local_days(opens[~inside]))
        return found

    def local_days(self, instants: IntVector) -> IntVector:
        """Midnight UTC of the date of each instant in the exchange's time zone."""
        utc = pd.DatetimeIndex(instants.astype("datetime64[us]")).tz_localize("UTC")
        return index_to_microseconds(utc.tz_convert(self.zone).tz_localize(None).normalize())

    def find_days(self, days: IntVector) -> IntVector:
        """Position of the session of each date; -1 where there is none."""
        if not self.days.size:
            return np.full(len(days), -1)
        position = np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)
        return np.where(self.days[position] == days, position, -1)

    def trading_time(self, instants: IntVector) -> IntVector:
        """Trading time from the first session up to each instant, microseconds."""
        lengths = self.span_ends - self.span_begins
        before = np.concatenate([[0], np.cumsum(lengths)])
        span = np.searchsorted(self.span_begins, instants, side="right") - 1
        started = np.maximum(span, 0)
        within = np.clip(instants - self.span_begins[started], 0, lengths[started])
        return np.where(span < 0, 0, before[started] + within)


def label_days(stamps: IntVector, day_begins: DayBegin, tolerance: int) -> IntVector:
    """Daily timestamps as midnight UTC of the date of the day that begins at or near them.

    Those at midnight UTC are dates already. Those further from a beginning than the tolerance are
    left as they are.

    Args:
        stamps: Microseconds since 1970.
        day_begins: When a day begins.
        tolerance: Microseconds.
    """
    if not stamps.size:
        return stamps
    first, last = int(stamps.min()) // DAY_US - 2, int(stamps.max()) // DAY_US + 3
    days = np.arange(first, last + 1, dtype=np.int64) * DAY_US
    begins = day_begins.begins(days)
    after = np.clip(np.searchsorted(begins, stamps), 1, len(begins) - 1)
    nearest = np.where(stamps - begins[after - 1] <= begins[after] - stamps, after - 1, after)
    near = np.abs(stamps - begins[nearest]) <= tolerance
    return np.where((stamps % DAY_US == 0) | ~near, stamps, days[nearest])


def index_to_microseconds(stamps: pd.DatetimeIndex) -> IntVector:
    """Microseconds since 1970; naive timestamps count as UTC."""
    naive = stamps.tz_convert("UTC").tz_localize(None) if stamps.tz is not None else stamps
    return np.asarray(naive.to_numpy().astype("datetime64[us]").astype(np.int64))

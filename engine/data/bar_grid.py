"""The grid of coarse bars on a calendar: where each begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bar_times import TradingTimes
from engine.data.calendar import (
    ALWAYS_OPEN,
    INTERVAL_LENGTHS,
    MONTH,
    interval_length,
    is_longer_than_a_day,
)
from engine.data.intervals import bar_end, bar_ends, interval_numbers, interval_starts
from engine.data.sessions import DAY_US as _DAY_US
from engine.data.sessions import MICROSECOND, Sessions

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data.sessions import DayBegin


@dataclass(frozen=True, eq=False)
class BarGrid:
    """Coarse bars of a calendar, and the position of finer bars among them.

    All times are int64 microseconds since 1970.

    Attributes:
        labels: Timestamp of each coarse bar, ascending.
        starts: When trading of each coarse bar begins.
        ends: When each coarse bar ends.
        in_session: (n,) whether a fine bar trades within the calendar's hours.
        fine_opens: When each fine bar within those hours begins.
        fine_closes: When it ends.
    """

    labels: IntVector
    starts: IntVector
    ends: IntVector
    in_session: npt.NDArray[np.bool_]
    fine_opens: IntVector
    fine_closes: IntVector


def make_bar_grid(
    stamps: pd.Series[pd.Timestamp],
    base: str,
    interval: str,
    calendar: str,
    day_begins: DayBegin | None = None,
) -> BarGrid:
    """The coarse bars that cover the given fine ones.

    On `24/7` days are those of UTC, weeks begin on Mondays and shorter intervals begin at
    multiples of their length from midnight. On an exchange's calendar a day is a session, labelled
    by midnight UTC of its date; a week is labelled by its Monday, a month by its first day.
    Shorter intervals are counted from the open of the session, and again from the end of its
    break; the last ends with the session. On `24/7` and `24/5` the key `day_begins` of a dataset
    makes a session of each day. `Sessions.locate_bars` says to which session a bar belongs.

    Args:
        stamps: Of finer bars, ascending; at least one.
        base: Their interval.
        interval: The coarser one.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day begins, where the calendar does not say.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name.
    """
    opens = stamps.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    length = int(INTERVAL_LENGTHS[base] / MICROSECOND)
    if calendar == ALWAYS_OPEN and day_begins is None:
        return _make_always_open_grid(opens, length, interval)
    grid = _SessionGrid.covering(stamps.iloc[0], stamps.iloc[-1], calendar, day_begins)
    return BarGrid(*grid.coarse_bars(interval), *grid.locate_bars(opens, length))


def _make_always_open_grid(opens: IntVector, base: int, interval: str) -> BarGrid:
    first, last = interval_numbers(np.array([opens[0], opens[-1] + base]), interval)
    edges = interval_starts(np.arange(first, last + 3, dtype=np.int64), interval)
    inside = np.ones(len(opens), dtype=bool)
    return BarGrid(edges[:-1], edges[:-1], edges[1:], inside, opens, opens + base)


def next_bar_labels(
    last: pd.Timestamp, interval: str, calendar: str, count: int
) -> pd.Series[pd.Timestamp]:
    """The timestamps of the bars that follow a bar on a calendar, by the rules of `make_bar_grid`.

    Args:
        last: Timestamp of the bar.
        interval: Length of the bars.
        calendar: `24/7` or a code of exchange-calendars.
        count: How many.

    Returns:
        `count` timestamps, ascending; fewer where the calendar ends, about a year from now.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name, or it does not reach back
            to the bar.
    """
    stamp = _timestamps_to_microseconds(pd.Series([last]))[0]
    if interval == MONTH:
        number = interval_numbers(np.array([stamp]), MONTH)[0]
        return microseconds_to_timestamps(interval_starts(number + np.arange(1, count + 1), MONTH))
    length = int(INTERVAL_LENGTHS[interval] / MICROSECOND)
    if calendar == ALWAYS_OPEN or interval == "1w":
        return microseconds_to_timestamps(stamp + length * np.arange(1, count + 1))
    labels = _following_bars(last, interval, calendar, count)[0]
    return microseconds_to_timestamps(labels)


def next_bar_spans(
    last: pd.Timestamp,
    interval: str,
    calendar: str,
    count: int,
    day_begins: DayBegin | None = None,
) -> tuple[IntVector, IntVector, IntVector]:
    """Labels of the bars that follow a bar, and from when to when each is traded.

    A daily bar of an exchange is traded from the open of its session, which may be on the evening
    before its date, to its close, which is earlier on a half day.

    Args:
        last: Timestamp of the bar.
        interval: Length of the bars.
        calendar: `24/7` or a code of exchange-calendars.
        count: How many.
        day_begins: When a day of `24/7` or `24/5` begins, as in `make_bar_grid`.

    Returns:
        Labels, starts and ends, microseconds since 1970; as many as `next_bar_labels`.

    Raises:
        UsageError: As `next_bar_labels`.
    """
    if calendar == ALWAYS_OPEN and day_begins is None:
        following = next_bar_labels(last, interval, calendar, count)
        labels = _timestamps_to_microseconds(following)
        return labels, labels, bar_ends(labels, interval)
    return _following_bars(last, interval, calendar, count, day_begins)


def traded_until(
    bar: pd.Timestamp, interval: str, calendar: str, day_begins: DayBegin | None = None
) -> pd.Timestamp:
    """When the trading of a bar ends: with its session, which can end before its interval.

    Args:
        bar: Timestamp of the bar; one that the calendar does not have ends with its interval.
        interval: Length of the bar.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day of `24/7` or `24/5` begins, as in `make_bar_grid`.

    Raises:
        UsageError: As `next_bar_labels`.
    """
    if interval_length(interval) >= pd.Timedelta(days=1):
        return TradingTimes(interval, calendar, day_begins).close(bar)
    before = bar - pd.Timedelta(microseconds=1)
    labels, _, ends = next_bar_spans(before, interval, calendar, 1, day_begins)
    if not len(labels) or microseconds_to_timestamps(labels).iloc[0] != bar:
        return bar_end(bar, interval)
    return microseconds_to_timestamps(ends).iloc[0]


def _following_bars(
    last: pd.Timestamp,
    interval: str,
    calendar: str,
    count: int,
    day_begins: DayBegin | None = None,
) -> tuple[IntVector, IntVector, IntVector]:
    """Labels, starts and ends of coarse bars after a bar, by the sessions of a calendar."""
    stamp = _timestamps_to_microseconds(pd.Series([last]))[0]
    length = int(interval_length(interval) / MICROSECOND)
    # Twice as many days as sessions, and three weeks more, hold every weekend and holiday.
    days = 2 * count * max(1, length // _DAY_US)
    grid = _SessionGrid.covering(last, last + pd.Timedelta(days=days), calendar, day_begins)
    labels, starts, ends = grid.coarse_bars(interval)
    if length == _DAY_US:
        # A daily bar may be labelled by an instant on the day before its session.
        session = grid.sessions.locate_bars(np.array([stamp]), length)[0]
        stamp = max(stamp, grid.sessions.days[session]) if session >= 0 else stamp
    following = np.flatnonzero(labels > stamp)[:count]
    return labels[following], starts[following], ends[following]


@dataclass(frozen=True, eq=False)
class _SessionGrid:
    """Coarse bars of the sessions of a calendar, whole weeks of them."""

    sessions: Sessions

    @classmethod
    def covering(
        cls,
        first: pd.Timestamp,
        last: pd.Timestamp,
        calendar: str,
        day_begins: DayBegin | None = None,
    ) -> _SessionGrid:
        # From a Monday on, so that a first bar on a Sunday evening has its session; and up to a
        # session after the last bar, because no exchange closes for three weeks.
        monday = first.normalize() - pd.Timedelta(days=first.weekday() + 7)
        return cls(Sessions.between(calendar, monday, last + pd.Timedelta(days=21), day_begins))

    def locate_bars(
        self, opens: IntVector, base: int
    ) -> tuple[npt.NDArray[np.bool_], IntVector, IntVector]:
        """Whether each bar trades within a session; from when to when those that do trade.

        A daily bar trades from the open of its session to its close; a shorter one from the start
        of its overlap with trading hours.
        """
        if base >= _DAY_US:
            session = self.sessions.locate_bars(opens, base)
            inside = session >= 0
            own = session[inside]
            return inside, self.sessions.opens[own], self.sessions.closes[own]
        inside, span = self.sessions.locate_spans(opens, base)
        begins = self.sessions.span_begins[span]
        return inside, np.maximum(opens, begins)[inside], opens[inside] + base

    def coarse_bars(self, interval: str) -> tuple[IntVector, IntVector, IntVector]:
        """Labels, starts and ends of the coarse bars."""
        days, opens, closes = self.sessions.days, self.sessions.opens, self.sessions.closes
        if interval == "1d":
            return days, opens, closes
        if is_longer_than_a_day(interval):
            numbers, first = np.unique(interval_numbers(days, interval), return_index=True)
            labels = interval_starts(numbers, interval)
            return labels, opens[first], closes[np.append(first[1:], len(days)) - 1]
        length = int(INTERVAL_LENGTHS[interval] / MICROSECOND)
        begins, ends = self.sessions.span_begins, self.sessions.span_ends
        counts = -((begins - ends) // length)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = np.repeat(begins, counts) + number * length
        return starts, starts, np.minimum(starts + length, np.repeat(ends, counts))


def _timestamps_to_microseconds(stamps: pd.Series[pd.Timestamp]) -> IntVector:
    naive = stamps.dt.tz_localize(None) if stamps.dt.tz is not None else stamps
    return naive.to_numpy().astype("datetime64[us]").astype(np.int64)


def microseconds_to_timestamps(micro: IntVector) -> pd.Series[pd.Timestamp]:
    """Microseconds since 1970 as timestamps of bars."""
    return pd.Series(pd.DatetimeIndex(micro.astype("datetime64[us]")).tz_localize("UTC"))

"""Where bars of a calendar begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, LENGTHS, schedule

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.types import Rows

# A Monday at midnight: weeks begin on Mondays, and every shorter interval divides a day.
ANCHOR = pd.Timestamp("1970-01-05")
MICROSECOND = pd.Timedelta(microseconds=1)
_EPOCH = int((ANCHOR - pd.Timestamp(0)) / MICROSECOND)
_DAY = int(pd.Timedelta(days=1) / MICROSECOND)


@dataclass(frozen=True, eq=False)
class Grid:
    """Coarse bars of a calendar, and the place of finer bars among them.

    All times are int64 microseconds since 1970.

    Attributes:
        labels: Of each coarse bar, ascending.
        starts: When each begins to trade.
        ends: When each is over.
        inside: (n,) whether a fine bar trades within the calendar's hours.
        opens: When each fine bar that is inside begins.
        closes: When it is over.
    """

    labels: Rows
    starts: Rows
    ends: Rows
    inside: npt.NDArray[np.bool_]
    opens: Rows
    closes: Rows


def grid_of(stamps: pd.Series[pd.Timestamp], base: str, interval: str, calendar: str) -> Grid:
    """The coarse bars around the given ones.

    On `24/7` days are those of UTC, weeks begin on Mondays and shorter intervals lie at their
    multiples from midnight. On an exchange's calendar a day is a session, labelled by midnight
    UTC of its date, a week is labelled by its Monday, and shorter intervals are counted from the
    open of the session, and again from the end of its break; the last ends with the session.

    Args:
        stamps: Of finer bars, ascending; at least one.
        base: Their interval.
        interval: The coarser one.
        calendar: `24/7` or a code of exchange-calendars.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name, or it does not reach back
            to the first bar.
    """
    opens = stamps.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    length = int(LENGTHS[base] / MICROSECOND)
    if calendar == ALWAYS_OPEN:
        return _always_open(opens, length, int(LENGTHS[interval] / MICROSECOND))
    sessions = _Sessions.around(stamps.iloc[0], stamps.iloc[-1], calendar)
    placed = sessions.place_days(opens) if base == "1d" else sessions.place_parts(opens, length)
    return Grid(*sessions.coarse(interval), *placed)


def _always_open(opens: Rows, base: int, length: int) -> Grid:
    first = (opens[0] - _EPOCH) // length
    last = (opens[-1] + base - _EPOCH) // length
    labels = np.arange(first, last + 2, dtype=np.int64) * length + _EPOCH
    inside = np.ones(len(opens), dtype=bool)
    return Grid(labels, labels, labels + length, inside, opens, opens + base)


@dataclass(frozen=True, eq=False)
class _Sessions:
    """Sessions of an exchange, whole weeks of them.

    Attributes:
        days: Midnight UTC of each one's date.
        parts: Opens and closes of each session, or of its halves where it has a break.
        opens: Of each session.
        closes: Of each session.
    """

    days: Rows
    parts: tuple[Rows, Rows]
    opens: Rows
    closes: Rows

    @classmethod
    def around(cls, first: pd.Timestamp, last: pd.Timestamp, calendar: str) -> _Sessions:
        # From a Monday on, the session of a first bar on a Sunday evening included; and on to a
        # session after the last bar, because no exchange closes for three weeks.
        monday = first.normalize() - pd.Timedelta(days=first.weekday() + 7)
        table = schedule(calendar, monday, last + pd.Timedelta(days=21))
        days = _micro(pd.Series(table.index))
        opens, closes = _micro(table["open"]), _micro(table["close"])
        broken = table["break_start"].notna().to_numpy()
        halves = table[broken]
        begins = np.sort(np.concatenate([opens, _micro(halves["break_end"])]))
        ends = np.sort(np.concatenate([closes, _micro(halves["break_start"])]))
        return cls(days, (begins, ends), opens, closes)

    def place_days(self, opens: Rows) -> tuple[npt.NDArray[np.bool_], Rows, Rows]:
        """Daily bars: those of a session, as long as it is."""
        days = opens // _DAY * _DAY
        place = np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)
        inside = self.days[place] == days
        return inside, self.opens[place[inside]], self.closes[place[inside]]

    def place_parts(self, opens: Rows, base: int) -> tuple[npt.NDArray[np.bool_], Rows, Rows]:
        """Shorter bars: those of which some lies within trading hours, from there on."""
        begins, ends = self.parts
        place = np.minimum(np.searchsorted(ends, opens, side="right"), len(ends) - 1)
        inside = (opens + base > begins[place]) & (opens < ends[place])
        return inside, np.maximum(opens, begins[place])[inside], opens[inside] + base

    def coarse(self, interval: str) -> tuple[Rows, Rows, Rows]:
        """Labels, starts and ends of the coarse bars."""
        if interval == "1d":
            return self.days, self.opens, self.closes
        if interval == "1w":
            labels, first = np.unique(_monday(self.days), return_index=True)
            return labels, self.opens[first], self.closes[np.append(first[1:], len(self.days)) - 1]
        length = int(LENGTHS[interval] / MICROSECOND)
        begins, ends = self.parts
        counts = -((begins - ends) // length)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = np.repeat(begins, counts) + number * length
        return starts, starts, np.minimum(starts + length, np.repeat(ends, counts))


def _monday(days: Rows) -> Rows:
    return (days - _EPOCH) // (7 * _DAY) * (7 * _DAY) + _EPOCH


def _micro(stamps: pd.Series[pd.Timestamp]) -> Rows:
    bare = stamps.dt.tz_localize(None) if stamps.dt.tz is not None else stamps
    return bare.to_numpy().astype("datetime64[us]").astype(np.int64)


def as_stamps(micro: Rows) -> pd.Series[pd.Timestamp]:
    """Microseconds since 1970 as timestamps of bars."""
    return pd.Series(pd.DatetimeIndex(micro.astype("datetime64[us]")).tz_localize("UTC"))

"""Resamples bars to a coarser interval; only complete coarse bars are returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.types import BAR_COLUMNS
from engine.data.bar_grid import BarGrid, make_bar_grid, microseconds_to_timestamps
from engine.data.known_days import require_known_days

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval
    from engine.data.sessions import DayBegin


@dataclass(frozen=True, eq=False)
class ResamplingBins:
    """The base rows of each coarse bar.

    Attributes:
        starts: First row of each coarse bar, incomplete ones included.
        interval_index: Position of each coarse bar on the grid.
        complete: The coarse bars that are complete.
        latest_complete: (n,) position among those of the newest that is complete at each row's
            close; -1 where there is none yet.
    """

    starts: IntVector
    interval_index: IntVector
    complete: slice
    latest_complete: IntVector

    @classmethod
    def from_grid(cls, grid: BarGrid) -> ResamplingBins:
        """Groups the rows of a grid, of which there is at least one.

        `ended` is the number of intervals that have ended at each row's close. The first interval
        is left out where it may have begun before the first row.
        """
        interval = np.searchsorted(grid.starts, grid.fine_opens, side="right") - 1
        ended = np.searchsorted(grid.ends, grid.fine_closes, side="right")
        first_is_partial = bool(grid.fine_opens[0] > grid.starts[interval[0]])
        interval[1:] = assign_intervals(interval[1:], ended[:-1])
        return cls.from_intervals(interval, ended, first_is_partial=first_is_partial)

    @classmethod
    def from_intervals(
        cls, interval: IntVector, ended: IntVector, *, first_is_partial: bool
    ) -> ResamplingBins:
        """Groups rows of which the interval is known.

        Args:
            interval: (n,) of each row, ascending; at least one.
            ended: (m,) intervals that have ended at the closes of the last m rows.
            first_is_partial: Whether the first coarse bar lacks rows and is left out.
        """
        starts = np.flatnonzero(np.diff(interval, prepend=interval[0] - 1))
        interval_index = interval[starts]
        first = int(first_is_partial)
        complete = np.searchsorted(interval_index, ended)
        kept = slice(first, max(first, int(complete[-1])))
        return cls(starts, interval_index, kept, np.maximum(complete - first - 1, -1))


def assign_intervals(interval: IntVector, ended_before: IntVector) -> IntVector:
    """The coarse bar that each row belongs to.

    A bar that opens in an interval that has ended already (some sources have bars closer than
    their length) belongs to the next: a complete bar never changes.

    Args:
        interval: (n,) in which each row opens.
        ended_before: (n,) intervals that have ended at the close of the row before.
    """
    return np.maximum(interval, ended_before)


@dataclass(frozen=True, eq=False)
class ResampledBars:
    """Coarser bars of one symbol.

    Attributes:
        bars: Complete ones, ascending.
        outside_hours: Timestamps of finer bars outside the calendar's hours, which are left out.
        crossing: Timestamps of finer bars that open in one coarser bar and close in the next.
    """

    bars: BarsFrame
    outside_hours: pd.Series[pd.Timestamp]
    crossing: pd.Series[pd.Timestamp]


def resample_bars(
    bars: BarsFrame,
    base: BarInterval,
    interval: BarInterval,
    calendar: str,
    day_begins: DayBegin | None = None,
) -> ResampledBars:
    """The complete bars of a coarser interval.

    A coarse bar takes the first open, the highest high, the lowest low, the last close and the sum
    of volumes of the bars that open in it; missing bars are not filled in. It is labelled by its
    open in the calendar's sense, see `make_bar_grid`. It is complete at the first bar that closes
    at or after its end. An interval without a bar has no coarse bar; neither has the first, unless
    the bars begin with it, nor one that is not complete at the last bar. A bar that is known at
    one bar's close does not change with later bars.

    Args:
        bars: Validated bars of one symbol, ascending.
        base: Their interval.
        interval: A longer one.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day begins, where the calendar does not say.

    Raises:
        UsageError: exchange-calendars knows no calendar of that name, or it does not cover the
            bars.
    """
    stamps = bars["timestamp"]
    if bars.empty:
        return ResampledBars(bars, stamps, stamps)
    require_known_days(stamps, calendar)
    grid = make_bar_grid(stamps, base, interval, calendar, day_begins)
    inside = bars[grid.in_session].reset_index(drop=True)
    if inside.empty:
        return ResampledBars(inside, stamps, stamps[:0])
    bins = ResamplingBins.from_grid(grid)
    table = aggregate_bars(
        inside, bins, microseconds_to_timestamps(grid.labels[bins.interval_index])
    )
    opened = np.searchsorted(grid.starts, grid.fine_opens, side="right")
    crossing = np.searchsorted(grid.starts, grid.fine_closes, side="left") > opened
    return ResampledBars(
        table, stamps[~grid.in_session], inside["timestamp"][crossing].reset_index(drop=True)
    )


def aggregate_bars(
    bars: BarsFrame, bins: ResamplingBins, labels: pd.Series[pd.Timestamp]
) -> BarsFrame:
    """The complete coarse bars of one symbol.

    Args:
        bars: Of one symbol, a row a base bar.
        bins: How they are grouped.
        labels: One a group, incomplete ones included.
    """
    starts, last = bins.starts, np.append(bins.starts[1:], len(bars)) - 1
    table = pd.DataFrame(
        {
            "timestamp": labels.to_numpy(),
            "symbol": bars["symbol"].to_numpy()[starts],
            "open": bars["open"].to_numpy()[starts],
            "high": np.maximum.reduceat(bars["high"].to_numpy(), starts),
            "low": np.minimum.reduceat(bars["low"].to_numpy(), starts),
            "close": bars["close"].to_numpy()[last],
            "volume": np.add.reduceat(bars["volume"].to_numpy(), starts),
        },
        columns=list(BAR_COLUMNS),
    ).assign(timestamp=labels.array)
    return table[bins.complete].reset_index(drop=True)

"""Resamples bars that arrive one after another, on the grid of markets that are always open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.data.bar_grid import microseconds_to_timestamps
from engine.data.bar_rows import bars_to_rows, rows_to_bars
from engine.data.bars import VALUE_COLUMNS
from engine.data.intervals import bar_ends, interval_numbers, interval_starts
from engine.data.resampling import ResamplingBins, aggregate_bars, assign_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.core.types import IntVector, Matrix
    from engine.data.next_bar import NextBar


@dataclass(frozen=True, eq=False)
class ResamplingState:
    """The base bars of the coarse bar that is not complete, and the count of those that are.

    Intervals are numbered as in `engine.data.intervals.interval_numbers`.

    Attributes:
        known: Coarse bars that were complete at the last close.
        ended: Intervals that had ended by then.
        interval: The interval of the rows.
        is_partial: Whether the rows may lack the beginning of the first coarse bar.
        rows: Shape (m, 1 + symbols x 5), see `bars_to_rows`; none where the latest is complete.
    """

    known: int
    ended: int
    interval: int
    is_partial: bool
    rows: Matrix

    def append_within(self, bar: NextBar, base: str, interval: str) -> ResamplingState | None:
        """The state after a base bar that completes no coarse bar; None where it completes one.

        Args:
            bar: The next base bar of every symbol.
            base: Its interval.
            interval: The longer one.
        """
        opens = np.array([bar.open_us])
        ended = int(interval_numbers(bar_ends(opens, base), interval)[0])
        (assigned,) = assign_intervals(interval_numbers(opens, interval), np.array([self.ended]))
        if ended > assigned or (len(self.rows) and assigned != self.interval):
            return None
        row = bar.row(tuple(bar.values), VALUE_COLUMNS)
        return replace(
            self,
            ended=ended,
            interval=int(assigned),
            rows=np.vstack([self.rows, row]),
        )


def resample_next_bars(
    state: ResamplingState | None,
    tables: Mapping[str, pd.DataFrame],
    base: str,
    interval: str,
) -> tuple[ResamplingState, dict[str, pd.DataFrame], IntVector]:
    """The coarse bars that the next base bars complete.

    However the bars are divided, all calls together return what `resample_market` returns for all
    the bars at once.

    Args:
        state: What an earlier call returned; None at the first bars of a history.
        tables: Symbol -> the next bars, one or more, all on the same timestamps; index UTC.
        base: Their interval.
        interval: A longer multiple of it.

    Returns:
        The next state; symbol -> the coarse bars that are complete now and were not before, index
        UTC; and (n,), one per base bar: position of the newest coarse bar that is complete at its
        close, counted from the first of the history, -1 where there is none yet.
    """
    rows = bars_to_rows(tuple(tables.values()), VALUE_COLUMNS)
    opens = rows[:, 0].astype(np.int64)
    own = interval_numbers(opens, interval)
    ended = interval_numbers(bar_ends(opens, base), interval)
    if state is None:
        is_partial = bool(opens[0] > interval_starts(own[:1], interval)[0])
        state = ResamplingState(0, int(own[0]), int(own[0]), is_partial, rows[:0])
    assigned = assign_intervals(own, np.append(state.ended, ended[:-1]))
    joined = np.vstack([state.rows, rows])
    bins = ResamplingBins.from_intervals(
        np.append(np.full(len(state.rows), state.interval), assigned),
        ended,
        first_is_partial=state.is_partial,
    )
    labels = microseconds_to_timestamps(interval_starts(bins.interval_index, interval))
    coarse = {
        symbol: aggregate_bars(bars.assign(symbol=symbol), bins, labels).set_index("timestamp")
        for symbol, bars in zip(
            tables, rows_to_bars(joined, VALUE_COLUMNS, len(tables)), strict=True
        )
    }
    over = int(np.searchsorted(bins.interval_index, ended[-1]))
    following = ResamplingState(
        known=state.known + bins.complete.stop - bins.complete.start,
        ended=int(ended[-1]),
        interval=int(bins.interval_index[-1]),
        is_partial=state.is_partial and over == 0,
        rows=joined[np.append(bins.starts, len(joined))[over] :].copy(),
    )
    return following, coarse, state.known + bins.latest_complete

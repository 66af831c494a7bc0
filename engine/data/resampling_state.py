"""Resamples bars that arrive one after another, on the grid of markets that are always open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.data.bar_rows import bars_to_rows, rows_to_bars
from engine.data.bars import VALUE_COLUMNS
from engine.data.intervals import bar_ends, interval_numbers, interval_starts
from engine.data.resampling import ResamplingBins, assign_intervals

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
    following, coarse, latest = resample_next_rows(state, rows, base, interval)
    completed = rows_to_bars(coarse, VALUE_COLUMNS, len(tables))
    return following, dict(zip(tables, completed, strict=True)), latest


def resample_next_rows(
    state: ResamplingState | None, rows: Matrix, base: str, interval: str
) -> tuple[ResamplingState, Matrix, IntVector]:
    """`resample_next_bars` of rows of numbers.

    Args:
        state: As there.
        rows: (n, 1 + symbols x 5), see `bars_to_rows`.
        base: As there.
        interval: As there.

    Returns:
        As there, the coarse bars as rows.
    """
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
    over = int(np.searchsorted(bins.interval_index, ended[-1]))
    following = ResamplingState(
        known=state.known + bins.complete.stop - bins.complete.start,
        ended=int(ended[-1]),
        interval=int(bins.interval_index[-1]),
        is_partial=state.is_partial and over == 0,
        rows=joined[np.append(bins.starts, len(joined))[over] :].copy(),
    )
    coarse = _aggregate_rows(joined, bins, interval_starts(bins.interval_index, interval))
    return following, coarse, state.known + bins.latest_complete


def _aggregate_rows(rows: Matrix, bins: ResamplingBins, opens: IntVector) -> Matrix:
    """The complete coarse bars, with the bits of `aggregate_bars`.

    NumPy adds pairs of the values along a contiguous axis, and one value after another along
    another axis, so that the volumes are transposed.
    """
    starts, last = bins.starts, np.append(bins.starts[1:], len(rows)) - 1
    base = rows[:, 1:].reshape(len(rows), -1, len(VALUE_COLUMNS))
    coarse = np.empty((len(starts), *base.shape[1:]))
    coarse[..., 0] = base[starts, :, 0]
    coarse[..., 1] = np.maximum.reduceat(base[..., 1], starts)
    coarse[..., 2] = np.minimum.reduceat(base[..., 2], starts)
    coarse[..., 3] = base[last, :, 3]
    volumes = np.ascontiguousarray(base[..., 4].T)
    coarse[..., 4] = np.add.reduceat(volumes, starts, axis=1).T
    joined = np.column_stack([opens.astype(np.float64), coarse.reshape(len(starts), -1)])
    return joined[bins.complete]

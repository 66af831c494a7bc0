"""How long each feature remembers a bar, and how large a change that leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.leakage.rounding import ROUNDING, column_spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.leakage.segments import AlteredMarket
    from engine.training.feature_history import FeatureHistory

_SAFETY = 6.0
"""Times the largest change measured at a distance: less is not looked at more closely."""

_LONGER, _MORE_BARS = 1.15, 2
"""A change may last this much longer than measured: factor, and bars beside it."""

_VISIBLE = 0.25
"""Spreads of a column: a cut counts where a change of that size would be noticed."""

_FEW_VALUES = 16

_SMALL = 1e-3
"""Spreads of a column, which are never noticed after a segment."""


def known_values(history: FeatureHistory) -> Matrix:
    """(n, k) every value of the feature stage at the bar at whose close it is known.

    Features, trailing returns, labels (a label over h bars is known h bars after its own), the
    newest coarse bar, and the day at which that bar begins.
    """
    count = len(history.features.timestamps)
    parts = [history.features.values]
    parts += [behind.to_numpy() for behind in history.trailing_returns.values()]
    for bars, ahead in history.forward_returns.items():
        unknown = np.full((min(bars, count), ahead.shape[1]), np.nan)
        parts.append(np.concatenate([unknown, ahead.to_numpy()[: count - len(unknown)]]))
    for coarse in history.coarse:
        days = coarse.features.timestamps.tz_convert(None).to_numpy().astype("datetime64[s]")
        seconds = days.astype(np.int64)[:, None] / 86_400.0
        values = np.concatenate([coarse.features.values, seconds], axis=1)
        parts.append(np.where(coarse.latest[:, None] >= 0, values[coarse.latest], np.nan))
    return np.concatenate(parts, axis=1)


def value_periods(history: FeatureHistory) -> IntVector:
    """(k,) for each column of `known_values` the most bars until it has its next value."""
    own = len(history.features.names)
    returns = (history.trailing_returns, history.forward_returns)
    own += sum(wide.shape[1] for each in returns for wide in each.values())
    parts = [np.ones(own, dtype=np.int64)]
    for coarse in history.coarse:
        steps = np.flatnonzero(np.diff(coarse.latest))
        longest = int(np.diff(steps).max(initial=1))
        parts.append(np.full(len(coarse.features.names) + 1, longest))
    return np.concatenate(parts)


class FeatureMemory:
    """The change that altered bars leave in each column at each distance from them.

    It is measured on a market with a few altered segments far apart: on the first half of the bars
    between two of them, so that nothing that looks ahead to the next one is taken for memory. A
    column that changes for longer than that, such as a running total, is taken by its changes from
    bar to bar; where these last as long too it has no bound. A column of a few different values
    seldom changes where it could: it remembers as many bars as its feature declares.

    Args:
        real: (n, k) values of the run.
        periods: (k,) most bars for which a value of a column is the newest one: of a coarser bar.
        declared: (k,) bars of the declared warm-up.
        longest: Most bars of a memory that is used.

    Attributes:
        bars: (k,) distance from which a visible change is look-ahead; `longest` + 1 without bound.
    """

    def __init__(
        self, real: Matrix, periods: IntVector, declared: IntVector, longest: int
    ) -> None:
        self._real = real
        self._declared = declared
        self._more_bars = _MORE_BARS + 2 * (periods - 1)
        self._longest = longest
        columns = real.shape[1]
        self._is_differenced = np.zeros(columns, dtype=bool)
        self._level_spread = column_spread(real)
        self._spread = self._level_spread.copy()
        self._is_flag = np.array([_has_few_values(column) for column in real.T])
        self._left = np.zeros((longest + 2, columns))
        self.bars: IntVector = np.zeros(columns, dtype=np.int64)

    @property
    def is_unbounded(self) -> npt.NDArray[np.bool_]:
        """(k,) columns that remember a bar for longer than can be probed."""
        return np.asarray(self.bars > self._longest)

    def measure(self, made: AlteredMarket, values: Matrix) -> None:
        """Measures the change that each segment leaves, and for how long."""
        change = self._changes(made, values)
        self._measure_columns(made, np.abs(change))
        long = self.is_unbounded
        if long.any():
            self._is_differenced = long
            steps = np.diff(self._real[:, long], axis=0)
            self._spread[long] = column_spread(steps) if len(steps) else 0.0
            self._measure_columns(made, np.abs(self._as_differences(change)))

    def find_changes(self, made: AlteredMarket, values: Matrix) -> npt.NDArray[np.bool_]:
        """(m, k) values that changed by more than what the segments before them leave.

        Up to the first cut no change is allowed but rounding, of no column.
        """
        level = self._changes(made, values)
        change = np.abs(self._as_differences(level))
        distance = made.distances()
        capped = np.minimum(distance, self._longest + 1)
        allowed = _SMALL * self._spread + _SAFETY * self._left[capped]
        known = distance[:, None] > np.maximum(self.bars, 1)
        found = (change > allowed) & known & ~self.is_unbounded
        early = int(made.rows.searchsorted(made.cuts[0], side="right"))
        rounding = ROUNDING * (np.abs(self._real[:early]) + self._level_spread)
        found[:early] = np.abs(level[:early]) > np.nan_to_num(rounding)
        found[made.altered] = False
        return found

    def covered(self, distance: IntVector) -> npt.NDArray[np.bool_]:
        """(c, k) whether look-ahead at cuts so far from the last segment would be seen."""
        return (distance[:, None] > np.maximum(self.bars, 1)) & ~self.is_unbounded

    def widen(self, columns: Sequence[int] | IntVector) -> None:
        """Allows more of a change, and for longer, after an honest value changed by more.

        Up to the declared warm-up any change is allowed, which no measurement may have shown.
        """
        for column in columns:
            reach = int(max(self.bars[column], self._declared[column]))
            left = self._left[:, column]
            left[reach + 1 :] *= _SAFETY
            left[: reach + 1] = np.inf
            self._left[:, column] = _last_longer(left[:, None], self._more_bars[[column]])[:, 0]
        self._update_bars()

    def give_up(self, columns: Sequence[int] | IntVector) -> None:
        """Takes columns as remembering without bound."""
        self.bars[columns] = self._longest + 1
        self._left[:, columns] = np.inf

    def _changes(self, made: AlteredMarket, values: Matrix) -> Matrix:
        """(m, k) altered minus real values; infinite where only one is a number."""
        real = self._real[made.rows]
        with np.errstate(invalid="ignore"):
            change = values - real
        both = np.isnan(values) & np.isnan(real) | (values == real)
        return np.where(both, 0.0, np.where(np.isnan(change), np.inf, change))

    def _as_differences(self, change: Matrix) -> Matrix:
        """The changes, less that of the bar before for columns that are taken so."""
        if not self._is_differenced.any():
            return change
        own = change[:, self._is_differenced]
        with np.errstate(invalid="ignore"):
            steps = np.nan_to_num(np.diff(own, axis=0, prepend=own[:1]), nan=np.inf)
        mixed = change.copy()
        mixed[:, self._is_differenced] = steps
        return mixed

    def _measure_columns(self, made: AlteredMarket, change: Matrix) -> None:
        """Keeps, for each distance, the largest change at it or further on."""
        distance = made.distances()
        left = np.zeros_like(self._left)
        ends = made.rows.searchsorted(made.cuts, side="right")
        starts = np.append(np.flatnonzero(distance == 1), len(distance))
        for start in starts[:-1]:
            following = ends[ends > start]
            stop = start + (int(following[0]) - start) // 2 if len(following) else len(distance)
            stop = min(stop, start + self._longest + 1)
            rows = np.arange(start, stop)
            np.maximum.at(left, distance[rows], change[rows])
        left = np.maximum.accumulate(left[::-1], axis=0)[::-1]
        self._left = _last_longer(left, self._more_bars)
        for column in np.flatnonzero(self._is_flag):
            self._left[: self._declared[column] + 1, column] = np.inf
        self._update_bars()

    def _update_bars(self) -> None:
        """The last distance at which what is left would hide a visible change."""
        hidden = _SAFETY * self._left > _VISIBLE * self._spread
        last = len(hidden) - 1 - hidden[::-1].argmax(axis=0)
        self.bars = np.where(hidden.any(axis=0), last, 0).astype(np.int64)


def _last_longer(left: Matrix, more_bars: IntVector) -> Matrix:
    """What is left at each distance, where changes last longer than these."""
    distances = np.arange(len(left))[:, None]
    sooner = ((distances - more_bars) / _LONGER).astype(np.int64)
    return np.take_along_axis(left, np.clip(sooner, 0, None), axis=0)


def _has_few_values(column: Vector) -> bool:
    return len(np.unique(column[:: 1 + len(column) // 5_000])) <= _FEW_VALUES

"""The rows of a panel that are a symbol's own, and what a split of the panel is in them.

Features, returns and sequences of a symbol are of its own bars, one after another, whatever lies
between them. A row counts for a symbol once so many of its bars are before it as the warm-ups and
the longest sequence need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.splits.rows import row_index

if TYPE_CHECKING:
    from engine.core.types import BoolMatrix, BoolVector, IntMatrix, IntVector, WideFrame
    from engine.splits.rows import Rows, TrainTestSplit

MIN_OWN_TRAIN_ROWS = 30
"""Fewest train rows that a symbol is scaled and fitted by; of fewer a deviation is noise."""

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class OwnSplit:
    """The rows of one symbol in a split, counted in its own bars.

    Attributes:
        index: Number of the split.
        train: Rows to fit on, perhaps none.
        validation: Rows held out, perhaps none.
        test: Rows to forecast, perhaps none.
        needed: Train rows that a fit and a scaling need.
    """

    index: int
    train: Rows
    validation: Rows
    test: range
    needed: int = MIN_OWN_TRAIN_ROWS

    @property
    def is_fitted(self) -> bool:
        """Whether there are enough train rows to scale and to fit by."""
        return len(self.train) >= self.needed


@dataclass(frozen=True, eq=False)
class Absences:
    """Symbols without a forecast at n rows; (n, m) each.

    Attributes:
        absent: No forecast is due: no bar, no member, or too few bars since the listing.
        halted: Of these the members that are listed and have no bar; they keep their positions.
    """

    absent: BoolMatrix
    halted: BoolMatrix

    def at(self, rows: slice) -> Absences:
        """Some of the rows."""
        return Absences(self.absent[rows], self.halted[rows])


@dataclass(frozen=True, eq=False)
class PanelRows:
    """Which rows of a panel each symbol has.

    Attributes:
        present: Wide and bool: whether the symbol has a bar.
        members: Wide and bool: whether it belongs to the universe at that close.
        listed: Wide and bool: see `Market.listed`.
        first: Own bars before the first row that counts.
        decided: Own bars before the first row that is forecast, for the sizing and the allocation
            too.
        horizon: The longest horizon, in own bars.
        unbroken: Rows of the panel up to a row, itself included, at all of which the symbol has to
            have a bar for the row to count: those of a sequence that is read row by row.
    """

    present: WideFrame
    members: WideFrame
    listed: WideFrame
    first: int
    decided: int
    horizon: int
    unbroken: int = 1

    def own_rows(self, symbol: str) -> IntVector:
        """(k,) the rows of the panel at which the symbol has a bar."""
        return self.rows_by_symbol[symbol]

    def first_rows(self, count: int) -> PanelRows:
        """The first rows alone."""
        present, members, listed = (
            wide.iloc[:count] for wide in (self.present, self.members, self.listed)
        )
        return replace(self, present=present, members=members, listed=listed)

    @cached_property
    def rows_by_symbol(self) -> dict[str, IntVector]:
        """Symbol -> the rows of the panel at which it has a bar."""
        columns = zip(self.present.columns, self.present.to_numpy().T, strict=True)
        return {str(symbol): np.flatnonzero(present) for symbol, present in columns}

    def ends(self, bars: int) -> IntMatrix:
        """(n, m) the row of the panel at which a return over so many own bars ends.

        The count of rows or more where the symbol has no bar, or too few after it.
        """
        found: IntMatrix = np.full(self.present.shape, _NEVER, dtype=np.int64)
        for place, rows in enumerate(self.rows_by_symbol.values()):
            found[rows[:-bars], place] = rows[bars:]
        return found

    def split(self, symbol: str, split: TrainTestSplit) -> OwnSplit:
        """The rows of a symbol in a split.

        Train rows are those of members alone. A row is left out whose return ends at or after the
        first row of a later part: over a halt, as many own bars reach further than the purge.

        Args:
            symbol: Symbol.
            split: Rows of the panel.
        """
        rows, members = self.own_rows(symbol), self._column(self.members, symbol)
        first_held_out, first_test = int(split.validation[0]), split.test.start
        train = self._select(symbol, split.train, (first_held_out, first_test))
        validation = self._select(symbol, split.validation, (first_test,))
        return OwnSplit(
            split.index,
            _as_rows(train[members[rows[train]]]),
            _as_rows(validation[members[rows[validation]]]),
            self.own_range(symbol, split.test),
            min(MIN_OWN_TRAIN_ROWS, len(split.train)),
        )

    def times(self, symbol: str, split: TrainTestSplit) -> tuple[IntVector, IntVector]:
        """The rows of the panel at the train and validation rows of a symbol that is fitted."""
        own = self.split(symbol, split)
        if not own.is_fitted:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return self.place(symbol, own.train), self.place(symbol, own.validation)

    def own_range(self, symbol: str, rows: range) -> range:
        """Consecutive rows of the panel as rows of the symbol that can be forecast."""
        own = self.own_rows(symbol)
        start, stop = np.searchsorted(own, [rows.start, rows.stop]).tolist()
        return range(min(max(start, self.decided), stop), stop)

    def forecast_rows(self, symbol: str, rows: range) -> BoolVector:
        """Whether the symbol is forecast at each of some rows: a member with enough bars."""
        own = self.own_rows(symbol)[list(self.own_range(symbol, rows))]
        forecast = np.zeros(len(rows), dtype=np.bool_)
        forecast[own - rows.start] = True
        counted = self._column(self.members, symbol) & self._runs[symbol]
        due: BoolVector = forecast & counted[rows.start : rows.stop]
        return due

    def absences(self, rows: range) -> Absences:
        """Where no forecast is due at some rows, and which symbols are halted there."""
        symbols = [str(symbol) for symbol in self.present.columns]
        due = np.column_stack([self.forecast_rows(symbol, rows) for symbol in symbols])
        taken = slice(rows.start, rows.stop)
        present, members, listed = (
            wide.to_numpy()[taken] for wide in (self.present, self.members, self.listed)
        )
        return Absences(~due, listed & members & ~present)

    def place(self, symbol: str, own: Rows) -> IntVector:
        """The rows of the panel at own rows of a symbol."""
        placed: IntVector = self.own_rows(symbol)[row_index(own)]
        return placed

    @cached_property
    def _runs(self) -> dict[str, BoolVector]:
        """Symbol -> (n,) whether it has had a bar at each of the last `unbroken` rows."""
        count = len(self.present)
        runs = {}
        for symbol, rows in self.rows_by_symbol.items():
            before = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])
            ends = np.arange(1, count + 1)
            had = before[ends] - before[np.maximum(ends - self.unbroken, 0)]
            runs[symbol] = had == self.unbroken
        return runs

    def _select(self, symbol: str, part: Rows, later: tuple[int, ...]) -> IntVector:
        """Own rows in a part whose return ends before each later part that it is before."""
        rows = self.own_rows(symbol)
        chosen = np.flatnonzero(_is_in(rows, part) & self._runs[symbol][rows])
        chosen = chosen[(chosen >= self.first) & (chosen + self.horizon < len(rows))]
        ends = rows[chosen + self.horizon]
        crosses = np.zeros(len(chosen), dtype=np.bool_)
        for start in later:
            crosses |= (rows[chosen] < start) & (ends >= start)
        return chosen[~crosses]

    def _column(self, wide: WideFrame, symbol: str) -> BoolVector:
        values: BoolVector = wide.to_numpy()[:, wide.columns.get_loc(symbol)]
        return values


def _is_in(rows: IntVector, part: Rows) -> BoolVector:
    if isinstance(part, range):
        inside: BoolVector = (rows >= part.start) & (rows < part.stop)
        return inside
    return np.isin(rows, part)


def _as_rows(rows: IntVector) -> Rows:
    """A range where there is no gap, which is read without a copy."""
    if not len(rows):
        return range(0)
    if int(rows[-1]) - int(rows[0]) + 1 == len(rows):
        return range(int(rows[0]), int(rows[-1]) + 1)
    return rows.astype(np.int64)

"""Asks the engine's own features at every bar whether they know the next one.

A feature with a window of w bars has forgotten an altered bar w + 1 bars later. So each of w + 2
copies of the history has every (w + 2)th bar altered, each copy others: every bar is followed once
by another one, and nothing that the feature may read there is altered. The copies stand below each
other in one market, so that a build of features takes many of them.

A value that is not that of the run is *suspected*; whether it is look-ahead is decided elsewhere,
on bars that end or are altered after it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import BacktestError
from engine.core.part_origin import find_external_parts
from engine.features.build import build_features
from engine.leakage.feature_cuts import choose_cuts
from engine.leakage.level_shifts import LevelShifts
from engine.leakage.rounding import ROUNDING, column_spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.data import Market
    from engine.features.config import Feature
    from engine.leakage.level_shifts import ShiftedMarket

MAX_ROWS, MAX_FADING_ROWS = 2**17, 2**16
"""Rows that a feature is computed at, over all copies: one with a window, and one that forgets
gradually, whose copies cost more. With a window of w bars every bar is asked where there are up to
`MAX_ROWS` / (w + 2) of them."""

MAX_CELLS = 2**22
"""Rows times the bars that a feature remembers, which a feature of a long window takes."""

MIN_CUTS, MIN_COPIES = 512, 4
"""Bars that are asked all the same, or all of them: so look-ahead at 1 % of the bars is missed in
less than 1 % of runs."""

_ROWS_AT_ONCE = 2**15
"""Rows of one market: enough that the calls cost little, few enough for a core's cache."""

_MUCH_SOONER = 2.0
"""A feature forgets gradually where its warm-up is so many times what was measured, or more."""

_TOGETHER = 1.5
"""Features whose memories differ by less than this factor are built together."""

_MEASUREMENTS, _BARS_PER_MEASUREMENT, _LOOKED_AT = 6, 600, 3
"""Altered bars by which the memory is measured, at most; how many bars there are of each, and how
many quarters of the bars up to the next one are looked at: not those that may look ahead to it."""

EXACT_LIMITS = (ROUNDING, 1e-6, 1e-3)
"""Differences that suspect a feature with a window, of a value and the spread of its column; the
next one where none of the suspected values was look-ahead."""

FADING_LIMITS = (0.5, 2.0)
"""The same of a feature that forgets gradually."""

_FADED = 1.0 / 3.0
"""What an altered bar leaves at the next cut, of the smallest of these limits."""


@dataclass(frozen=True, eq=False)
class AskedColumns:
    """What was found of some columns of a feature matrix.

    Attributes:
        columns: (k,) their places in the matrix.
        limits: Differences that suspect a value, ascending.
        differences: (n, k) of the values before another next bar, in units of the limits; NaN
            where a bar was not asked.
    """

    columns: IntVector
    limits: tuple[float, ...]
    differences: Matrix

    @property
    def asked_rows(self) -> npt.NDArray[np.bool_]:
        """(n,) whether a row was asked."""
        return np.asarray(~np.isnan(self.differences).any(axis=1))

    def largest_differences(self) -> Vector:
        """(n,) of each row; 0 where it was not asked."""
        return np.asarray(np.nan_to_num(self.differences, nan=0.0, posinf=np.inf).max(axis=1))


def is_askable(feature: Feature) -> bool:
    """Whether a feature may be built of copies of the history: it reads prices and no times."""
    return bool(feature.required_columns) and not any(find_external_parts(feature))


class EveryBarScreening:
    """Copies of a history in which each bar is followed by another one.

    Args:
        market: The bars.
        features: Those that are askable.
        symbols: As in `build_features`.
        real: Their values in the run, of all symbols.
        rows: First and last row to ask at; at least one bar follows.
        preferred: Ascending rows that come first where not every bar can be asked.
        rng: Decides every draw.
    """

    def __init__(
        self,
        market: Market,
        features: Sequence[Feature],
        symbols: Sequence[str],
        real: Matrix,
        rows: tuple[int, int],
        preferred: IntVector,
        rng: np.random.Generator,
    ) -> None:
        self._market, self._symbols, self._features = market, symbols, features
        self._real, self._spread = real, column_spread(real)
        (self._first, self._last), self._preferred, self._rng = rows, preferred, rng
        self._count = len(real)
        self._exact = LevelShifts(market, exact=True)
        self._fading = LevelShifts(market, exact=False)

    def ask(self) -> Iterator[AskedColumns]:
        """Asks the features in groups of like memory; leaves out those that have no bound."""
        if not self._features or not self._exact.is_possible or self._first > self._last:
            return
        windows = np.array([feature.warmup for feature in self._features])
        measured = self._measure_memory()
        for exact, memory in ((True, windows), (False, measured)):
            chosen = np.flatnonzero((windows <= _MUCH_SOONER * measured) == exact)
            for group in _group_by_memory(chosen[np.argsort(memory[chosen])], memory):
                made = self._ask_group(group, int(memory[group].max()), exact=exact)
                if made is not None:
                    yield made

    def _measure_memory(self) -> IntVector:
        """(f,) bars after which a feature has forgotten enough; all of them where it does not."""
        never = np.full(len(self._features), self._count, dtype=np.int64)
        bars = self._last + 1 - self._first
        number = int(np.clip(bars // _BARS_PER_MEASUREMENT, 1, _MEASUREMENTS))
        apart = bars // (number + 1)
        cuts = self._first + apart * np.arange(number)
        built = self._build(self._features, self._fading.alter_in_place(cuts, self._rng))
        if built is None or not apart:
            return never
        rows = cuts[:, None] + 1 + np.arange(max(1, _LOOKED_AT * apart // 4))
        left = self._differences(built.values[rows.ravel()], rows.ravel(), exact=False)
        left = left.reshape(*rows.shape, len(self._symbols), -1).max(axis=(0, 2))
        seen = left > _FADED * FADING_LIMITS[0]
        forgotten = np.where(seen.any(axis=0), len(seen) - seen[::-1].argmax(axis=0), 0)
        return np.where(seen[-1], never, forgotten).astype(np.int64)

    def _ask_group(self, group: IntVector, memory: int, *, exact: bool) -> AskedColumns | None:
        cut_sets = self._choose_cut_sets(memory + 2, MAX_ROWS if exact else MAX_FADING_ROWS)
        features = [self._features[place] for place in group.tolist()]
        width = len(self._features)
        columns = (np.arange(len(self._symbols))[:, None] * width + group).ravel()
        differences = np.full((self._count, len(columns)), np.nan)
        for made in self._alter(cut_sets, exact=exact):
            built = self._build(features, made)
            if built is None:
                return None
            found = built.values[built.places]
            differences[built.cuts] = self._differences(found, built.cuts, columns, exact=exact)
        return AskedColumns(columns, EXACT_LIMITS if exact else FADING_LIMITS, differences)

    def _choose_cut_sets(self, spacing: int, rows: int) -> list[IntVector]:
        """Rows for each copy: every row once, or as many as can be, with the preferred ones."""
        affordable = min(rows, MAX_CELLS // spacing) // self._count
        needed = ceil(MIN_CUTS * spacing / (self._last + 1 - self._first))
        copies = max(MIN_COPIES, affordable, needed)
        if spacing <= copies:
            sets = [
                np.arange(self._first + turn, self._last + 1, spacing) for turn in range(spacing)
            ]
            return [cuts for cuts in sets if len(cuts)]
        waiting = self._preferred
        chosen: list[IntVector] = []
        while len(waiting) and len(chosen) < copies // 3:
            chosen.append(choose_cuts(self._first, self._last, spacing, waiting, self._rng))
            waiting = np.setdiff1d(waiting, chosen[-1])
        turns = self._rng.permutation(spacing)[: copies - len(chosen)]
        chosen += [np.arange(self._first + turn, self._last + 1, spacing) for turn in turns]
        return [cuts for cuts in chosen if len(cuts)]

    def _alter(self, cut_sets: Sequence[IntVector], *, exact: bool) -> Iterator[ShiftedMarket]:
        """Copies below each other where any difference shows, else each by itself.

        Look-ahead at chosen rows or times shows in a difference from the run, for it is at other
        rows of a copy; that difference is small where the real next bar differs little. At its own
        rows and times it answers to the altered bar.
        """
        if not exact:
            yield from (self._fading.alter_in_place(cuts, self._rng) for cuts in cut_sets)
            return
        at_once = max(1, _ROWS_AT_ONCE // self._count)
        for start in range(0, len(cut_sets), at_once):
            yield self._exact.alter(cut_sets[start : start + at_once], self._rng)

    def _build(self, features: Sequence[Feature], made: ShiftedMarket) -> _BuiltCopies | None:
        """The features of altered bars; None where they need real times or the real bars."""
        try:
            values = build_features(made.market, features, self._symbols).values
        except (BacktestError, ValueError, IndexError):
            return None
        return _BuiltCopies(values, made.cuts, made.places)

    def _differences(
        self,
        values: Matrix,
        rows: IntVector,
        columns: IntVector | slice = slice(None),
        *,
        exact: bool,
    ) -> Matrix:
        """How far values are from those of the run, in units of the limits."""
        real, unit = self._real[rows][:, columns], self._spread[columns]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.abs(values - real) / (unit + np.abs(real) if exact else unit)
        equal = (values == real) | (np.isnan(values) & np.isnan(real))
        return np.where(equal, 0.0, np.where(np.isnan(ratio), np.inf, ratio))


@dataclass(frozen=True, eq=False)
class _BuiltCopies:
    """Features of all rows of some copies, and the places of their cuts."""

    values: Matrix
    cuts: IntVector
    places: IntVector


def _group_by_memory(ordered: IntVector, memory: IntVector) -> Iterator[IntVector]:
    """Groups of features, given in the order of their memory, within a factor of each other."""
    start = 0
    for end in range(1, len(ordered) + 1):
        if end == len(ordered) or memory[ordered[end]] + 2 > _TOGETHER * (
            memory[ordered[start]] + 2
        ):
            yield ordered[start:end]
            start = end

"""Asks features, coarser features, returns and labels at every bar whether they know a later one.

The engine's own features are built of copies of the history in which other bars are altered
(`every_bar`); returns and coarser bars are made again by their rule (`return_rules`); what is left
is screened at as many bars as its memory allows (`segment_screening`). A value that is suspected
there is *confirmed*: its features are built once more from bars that end after it, and from others
that are altered after it alone. Only a value that differs there is look-ahead. A suspicion that
has another cause is never reported as one; its column is then screened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.randomness import derive_seed
from engine.features.base import Indicator
from engine.leakage.every_bar import EveryBarScreening, is_askable
from engine.leakage.feature_cuts import find_special_cuts
from engine.leakage.feature_memory import known_values
from engine.leakage.feature_subset import select_features
from engine.leakage.level_shifts import LevelShifts
from engine.leakage.output_pairs import pair_histories
from engine.leakage.return_rules import (
    aggregate_coarse_bars,
    suspected_completions,
    suspected_labels,
    suspected_trailing_returns,
)
from engine.leakage.rounding import ROUNDING
from engine.leakage.segment_screening import SegmentScreening, feature_places
from engine.pipeline.feature_history import build_history

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pandas as pd

    from engine.core.types import BoolMatrix, IntVector
    from engine.data import Market
    from engine.features.build import FeatureMatrix
    from engine.features.resolutions import CoarseFeatures
    from engine.leakage.comparison import OutputComparison
    from engine.leakage.every_bar import AskedColumns
    from engine.leakage.feature_cuts import FeatureCutKind
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory

CONFIRMED_ROWS = 8
"""Suspected rows of some columns at which features are built once more, at most: half of them
those that differ most, the others at random."""

MAX_ASKED_SYMBOLS = 50
"""Symbols of which the engine's own features are asked at every bar: those of all are computed by
the same code. A look-ahead at a tenth of the symbols alone is at none of them in less than 1 % of
runs."""


@dataclass(frozen=True)
class FeatureProbe:
    """At how many bars the feature stage was probed.

    Attributes:
        cuts: Of the column that was probed at the fewest.
        bars: Bars at which it could have been: from the first train row to the last but one.
        special_cuts: Kind -> probed bars of the kind, of all that there are of it at most some.
        unbounded: Names of features that remember without bound; these were built once per cut.
    """

    cuts: int
    bars: int
    special_cuts: Mapping[FeatureCutKind, int]
    unbounded: tuple[str, ...]


def probe_features(
    spec: Strategy,
    market: Market,
    history: FeatureHistory,
    first: int,
    fills: pd.DatetimeIndex,
    comparison: OutputComparison,
) -> FeatureProbe:
    """Probes features, coarser features, trailing returns and labels.

    Args:
        spec: The strategy.
        market: The real bars.
        history: Of these.
        first: First row that a fit of the run uses.
        fills: Timestamps at which a book of the run was filled.
        comparison: Counts what is compared bit for bit.

    Raises:
        LookaheadError: A value changed with the bars after it.
    """
    return _FeatureProbing(spec, market, history, first, comparison).run(fills)


class _FeatureProbing:
    def __init__(
        self,
        spec: Strategy,
        market: Market,
        history: FeatureHistory,
        first: int,
        comparison: OutputComparison,
    ) -> None:
        self.spec, self.market, self.history = spec, market, history
        self.first, self.last = first, len(history.features.timestamps) - 2
        self.comparison = comparison
        self.rng = np.random.default_rng(derive_seed(spec.seed, "certificate", "features"))
        self.shifts = LevelShifts(market, exact=False)
        self.probed: BoolMatrix = np.zeros_like(known_values(history), dtype=np.bool_)

    @property
    def _first_coarse_column(self) -> int:
        """Place in `known_values` of the first column of coarser bars."""
        coarser = sum(len(coarse.features.names) + 1 for coarse in self.history.coarse)
        return int(self.probed.shape[1]) - coarser

    def run(self, fills: pd.DatetimeIndex) -> FeatureProbe:
        special = find_special_cuts(self.market, fills, self.first, self.last, self.rng)
        preferred = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *special.values()]))
        self._ask_features(preferred)
        self._ask_returns()
        self._ask_coarse_features()
        unbounded = self._screen_others(preferred)
        probed = self.probed[self.first : self.last + 1]
        return FeatureProbe(
            cuts=int(probed.sum(axis=0).min()),
            bars=len(probed),
            special_cuts={
                kind: int(probed[rows - self.first].any(axis=1).sum())
                for kind, rows in special.items()
            },
            unbounded=unbounded,
        )

    def _screen_others(self, preferred: IntVector) -> tuple[str, ...]:
        """Screens the columns that were not asked; the names of features without bound."""
        left = np.flatnonzero(~self.probed.any(axis=0))
        if not len(left):
            return ()
        places = self._places(left) or {0}
        spec, history = select_features(self.spec, self.history, places)
        width = len(self.spec.features)
        there = [
            column
            for column, place in enumerate(feature_places(self.history, width))
            if place is None or place in places
        ]
        screening = SegmentScreening(
            spec,
            self.market,
            history,
            (self.first, self.last),
            np.searchsorted(there, left),
            self.comparison,
            self.rng,
        )
        unbounded = screening.run(preferred)
        self.probed[:, left] = screening.probed_rows()
        return unbounded

    def _places(self, columns: IntVector) -> set[int]:
        """The places in the strategy of the features of some columns."""
        places = feature_places(self.history, len(self.spec.features))
        found = (places[column] for column in columns.tolist())
        return {place for place in found if place is not None}

    def _ask_features(self, preferred: IntVector) -> None:
        matrix = self.history.features
        for asked in self._screen(self.market, matrix, (matrix.warmup, self.last), preferred):
            if self._is_honest(asked, np.arange(self.last + 1), 0):
                rows = np.flatnonzero(asked.asked_rows)
                self.probed[np.ix_(rows, self._of_all_symbols(asked.columns, matrix))] = True

    def _ask_returns(self) -> None:
        column, transform = len(self.history.features.names), self.history.target.transform
        for bars, behind in self.history.trailing_returns.items():
            close = self.market.wide("close", [str(each) for each in behind]).to_numpy()
            self._ask_rule(
                column,
                behind.shape[1],
                suspected_trailing_returns(close, behind, bars, transform),
            )
            column += behind.shape[1]
        for bars, ahead in self.history.forward_returns.items():
            close = self.market.wide("close", [str(each) for each in ahead]).to_numpy()
            suspected = bars + suspected_labels(close, ahead, bars, transform)
            self._ask_rule(column, ahead.shape[1], suspected)
            column += ahead.shape[1]

    def _ask_coarse_features(self) -> None:
        """Asks coarser features on coarser bars, each at the close at which it is known."""
        column = self._first_coarse_column
        for coarse in self.history.coarse:
            width = len(coarse.features.names)
            self._ask_rule(column + width, 1, suspected_completions(self.market, coarse))
            bars = aggregate_coarse_bars(self.market, coarse)
            if bars is not None:
                self._ask_coarse_bars(coarse, bars, column)
            column += width + 1

    def _ask_coarse_bars(self, coarse: CoarseFeatures, bars: Market, column: int) -> None:
        """Asks at the coarse bars, and after the last of them, which one more follows."""
        matrix, count = coarse.features, len(coarse.features.timestamps)
        known_from = coarse.latest.searchsorted(np.arange(count))
        nothing = np.full((1, matrix.values.shape[1]), np.nan)
        longer = replace(matrix, values=np.concatenate([matrix.values, nothing]))
        rows = (matrix.warmup, count - 1)
        for asked in self._screen(bars, longer, rows, np.empty(0, dtype=np.int64)):
            if self._is_honest(asked, known_from, column):
                known = np.append(asked.asked_rows, False)[coarse.latest]  # -1 is the last
                columns = column + self._of_all_symbols(asked.columns, matrix)
                self.probed[np.ix_(np.flatnonzero(known), columns)] = True

    def _screen(
        self,
        market: Market,
        matrix: FeatureMatrix,
        rows: tuple[int, int],
        preferred: IntVector,
    ) -> Iterator[AskedColumns]:
        """Asks the features that are the engine's own, of all symbols or of some."""
        features = self.spec.features
        askable = [place for place, each in enumerate(features) if is_askable(each)]
        chosen = self._choose_symbols(len(matrix.symbol_columns))
        symbols = [matrix.symbol_columns[number][0] for number in chosen.tolist()]
        places = (chosen[:, None] * len(features) + askable).ravel()
        screening = EveryBarScreening(
            market if len(chosen) == len(matrix.symbol_columns) else market.of_symbols(symbols),
            [features[place] for place in askable],
            symbols,
            matrix.values[:, places.astype(np.int64)],
            rows,
            preferred,
            self.rng,
        )
        for asked in screening.ask():
            yield replace(asked, columns=places[asked.columns])

    def _choose_symbols(self, count: int) -> IntVector:
        """Ascending places of the symbols that are asked: all, where one reads another's bars."""
        alone = all(isinstance(each, Indicator) for each in self.spec.features)
        if count <= MAX_ASKED_SYMBOLS or not alone:
            return np.arange(count)
        rng = np.random.default_rng(derive_seed(self.spec.seed, "certificate", "symbols"))
        return np.sort(rng.permutation(count)[:MAX_ASKED_SYMBOLS])

    def _of_all_symbols(self, columns: IntVector, matrix: FeatureMatrix) -> IntVector:
        """The columns of the same features of every symbol."""
        width = len(self.spec.features)
        symbols = np.arange(len(matrix.symbol_columns))
        return np.asarray((symbols[:, None] * width + np.unique(columns % width)).ravel())

    def _ask_rule(self, column: int, count: int, suspected: IntVector) -> None:
        """Takes columns as asked at every bar, where none that a rule suspects is left."""
        if not len(suspected):
            self.probed[:, column : column + count] = True
        with_coarse = column >= self._first_coarse_column
        for row in self._choose(suspected, CONFIRMED_ROWS):
            self._confirm(row, {0}, with_coarse=with_coarse)

    def _is_honest(self, asked: AskedColumns, known_from: IntVector, first_column: int) -> bool:
        """Whether what is suspected, up to some difference, is no look-ahead.

        Args:
            asked: What was found.
            known_from: Row of the run at whose close each of its rows is known.
            first_column: Place in `known_values` of the first column of its matrix.

        Raises:
            LookaheadError: A suspected value is.
        """
        largest = asked.largest_differences()
        confirmed: set[int] = set()
        for limit in asked.limits:
            suspected = np.flatnonzero(largest > limit)
            if not len(suspected):
                return True
            ranked = suspected[np.argsort(-largest[suspected], kind="stable")]
            chosen = ranked[: CONFIRMED_ROWS // 2].tolist()
            chosen += self._choose(ranked[CONFIRMED_ROWS // 2 :], CONFIRMED_ROWS // 2)
            differing = (asked.differences[suspected] > limit).any(axis=0)
            places = self._places(first_column + asked.columns[differing])
            for row in set(known_from[chosen].tolist()) - confirmed:
                self._confirm(row, places, with_coarse=first_column >= self._first_coarse_column)
                confirmed.add(row)
        return False

    def _choose(self, rows: IntVector, count: int) -> list[int]:
        chosen: list[int] = self.rng.permutation(rows)[:count].tolist()
        return chosen

    def _confirm(self, row: int, places: Collection[int], *, with_coarse: bool) -> None:
        """Builds features of bars that end after a row, and of others that are altered there.

        Where a feature of the bars' own interval is suspected, no coarser one is built: it may
        know the rest of its bar too, and a small look-ahead is first seen in it where the next
        bar of the own interval moves little.

        Raises:
            LookaheadError: A value up to the row differs.
        """
        row = min(row, self.last)
        stamp = self.history.features.timestamps[row]
        spec, history = select_features(self.spec, self.history, places)
        if not with_coarse:
            spec, history = (
                spec.model_copy(update={"resolutions": ()}),
                replace(history, coarse=()),
            )
        altered = self.shifts.alter_in_place(np.array([row]), self.rng).market
        for market in (self.market.until(stamp), altered):
            for pair in pair_histories(history, build_history(spec, market), row):
                self.comparison.require_equal(pair, stamp, ROUNDING)

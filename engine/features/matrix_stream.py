"""The feature matrix of one interval, continued from bar to bar, of all symbols at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from engine.features.build import assemble_matrix, check_values
from engine.features.cross_section import compare_symbols, own_feature
from engine.features.stream_state import MatrixState
from engine.features.symbol_states import replace_states, stack_states, take_states

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Matrix, Vector
    from engine.data.next_bar import NextBar
    from engine.features.build import FeatureMatrix
    from engine.features.kinds import Feature
    from engine.features.symbol_states import SymbolStates
    from engine.features.window_state import FeatureState


@dataclass(frozen=True)
class MatrixStream:
    """The streaming form of a feature matrix.

    A symbol that has no bar keeps its states, its values are NaN there, and features of the
    cross-section compare the others. The states are those of each symbol's own features.

    Attributes:
        features: Features.
        symbols: Symbols, in the order of the groups.
    """

    features: tuple[Feature, ...]
    symbols: tuple[str, ...]

    @cached_property
    def warmup(self) -> int:
        """First row at which every feature is valid."""
        return max(feature.warmup for feature in self.features)

    @cached_property
    def _own_features(self) -> tuple[Feature, ...]:
        return tuple(map(own_feature, self.features))

    @property
    def initial(self) -> MatrixState:
        """The state before the first bar."""
        count = len(self.symbols)
        return MatrixState((0,) * count, ((None,) * count,) * len(self.features))

    def update(
        self, state: MatrixState, tables: Mapping[str, pd.DataFrame]
    ) -> tuple[MatrixState, FeatureMatrix]:
        """The matrix at further bars.

        Args:
            state: After the bars before.
            tables: Symbol -> its further bars, or none; index UTC.

        Returns:
            The next state, and a row for each timestamp of any of the tables.

        Raises:
            UsageError: A feature needs a symbol that is not there.
            InvalidBarsError: A value past its warm-up is not finite.
            ContractError: The column of a user's feature breaks a rule.
        """
        stamps = reduce(pd.Index.union, (table.index for table in tables.values()))
        arrived = [place for place, name in enumerate(self.symbols) if len(tables[name])]
        following, columns = self._update_symbols(state, tables, arrived)
        nothing = [pd.Series(np.nan, index=stamps)] * len(self.features)
        by_symbol = dict(zip(arrived, columns, strict=True))
        aligned = [
            column if column.index.equals(stamps) else column.reindex(stamps)
            for place in range(len(self.symbols))
            for column in by_symbol.get(place, nothing)
        ]
        return following, assemble_matrix(aligned, self.features, self.symbols)

    def advance(self, state: MatrixState, bar: NextBar) -> tuple[MatrixState, Vector]:
        """The row at a single bar of all symbols, or of those that have one.

        Args:
            state: After the bars before.
            bar: The next bar.

        Raises:
            InvalidBarsError: A value past its warm-up is not finite.
            ContractError: The column of a user's feature breaks a rule.
        """
        if len(state.seen) == 1 and state.seen[0] >= self.warmup and self.symbols[0] in bar.values:
            return self._advance_only(state, bar)
        present = [place for place, name in enumerate(self.symbols) if name in bar.values]
        ready = [place for place in present if state.seen[place] >= self.warmup]
        values = np.full((len(self.symbols), len(self.features)), np.nan)
        if len(ready) < len(present):
            young = [place for place in present if state.seen[place] < self.warmup]
            early = bar.select([self.symbols[place] for place in young]) if ready else bar
            state, columns = self._update_symbols(state, early.tables, young)
            values[young] = [[column.iloc[0] for column in own] for own in columns]
        if ready:
            state, values[ready] = self._advance_symbols(state, bar, ready)
        return state, compare_symbols(values.reshape(1, -1), self.features)[0]

    def _update_symbols(
        self, state: MatrixState, tables: Mapping[str, pd.DataFrame], places: Sequence[int]
    ) -> tuple[MatrixState, list[list[pd.Series[float]]]]:
        """The columns of some symbols, whose states are updated one by one."""
        columns: list[list[pd.Series[float]]] = [[] for _ in places]
        following = []
        for feature, states in zip(self._own_features, state.features, strict=True):
            kept = []
            for place, own in zip(places, columns, strict=True):
                symbol = self.symbols[place]
                after, column = feature.update_for_symbol(states[place], tables, symbol)
                check_values(feature, tables[symbol], column, symbol, seen=state.seen[place])
                kept.append(after)
                own.append(column)
            following.append(replace_states(states, places, stack_states(kept)))
        counts = {place: len(tables[self.symbols[place]]) for place in places}
        return state.advance(counts, following), columns

    def _advance_symbols(
        self, state: MatrixState, bar: NextBar, places: Sequence[int]
    ) -> tuple[MatrixState, Matrix]:
        """(symbols, features) the values of symbols past their warm-up at a single bar."""
        symbols = tuple(self.symbols[place] for place in places)
        values = np.empty((len(self.features), len(places)))
        following = []
        for own, feature, states in zip(values, self._own_features, state.features, strict=True):
            before = take_states(states, places)
            if len(symbols) == 1:  # numbers take less time than arrays of one
                state_of_one = cast("FeatureState", before[0])
                kept, own[0] = feature.advance_for_symbol(state_of_one, bar, symbols[0])
                after: SymbolStates = kept[None]
            else:
                after, own[:] = feature.advance_for_symbols(before, bar, symbols)
            following.append(replace_states(states, places, after))
        if not np.isfinite(values).all():
            self._refuse(values, bar, places, state)
        return state.advance(dict.fromkeys(places, 1), following), values.T

    def _advance_only(self, state: MatrixState, bar: NextBar) -> tuple[MatrixState, Vector]:
        """The row of the only symbol, past its warm-up, at a single bar that it has."""
        (symbol,) = self.symbols
        advanced = [
            feature.advance_for_symbol(cast("FeatureState", states[0]), bar, symbol)
            for feature, states in zip(self._own_features, state.features, strict=True)
        ]
        row = np.array([value for _, value in advanced])
        if not np.isfinite(row).all():
            self._refuse(row[:, None], bar, (0,), state)
        return MatrixState((state.seen[0] + 1,), tuple([kept[None] for kept, _ in advanced])), row

    def _refuse(
        self, values: Matrix, bar: NextBar, places: Sequence[int], state: MatrixState
    ) -> None:
        """Raises the error of the first value that is not finite."""
        for place, own in zip(places, values.T, strict=True):
            symbol = self.symbols[place]
            for feature, value in zip(self._own_features, own, strict=True):
                column, bars = pd.Series([value], bar.opens), pd.DataFrame(index=bar.opens)
                check_values(feature, bars, column, symbol, seen=state.seen[place])

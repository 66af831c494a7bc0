"""The feature matrix of a market whose bars arrive one after another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, UsageError
from engine.core.hashing import canonical_json
from engine.data.bars import VALUE_COLUMNS
from engine.data.resampling_state import resample_next_bars
from engine.features.build import assemble_matrix, check_distinct, check_values
from engine.features.required_volume import check_volume
from engine.features.resolutions import check_coarser, label_coarse_features
from engine.features.stream_state import CoarseState, MatrixState, StreamState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, Matrix, Vector
    from engine.data import BarInterval
    from engine.data.next_bar import NextBar
    from engine.features.build import FeatureMatrix
    from engine.features.config import Feature
    from engine.features.resolutions import CoarseFeatures


@dataclass(frozen=True, eq=False)
class StreamedFeatures:
    """Features of the bars that arrived.

    Attributes:
        features: A row for each of their timestamps.
        coarse: Each resolution: a row for each coarse bar that they complete, often none, and
            `latest` of each timestamp, counted from the first coarse bar of the history.
    """

    features: FeatureMatrix
    coarse: tuple[CoarseFeatures, ...]


@dataclass(frozen=True, eq=False)
class StreamedRow:
    """Features of a single bar.

    Attributes:
        values: Shape (k,), as a row of `FeatureMatrix.values`.
        coarse: Of each resolution the rows of the coarse bars that it completes, often none, and
            the newest coarse bar that is complete at its close, counted from the first of the
            history.
    """

    values: Vector
    coarse: tuple[tuple[Matrix, int], ...]


@dataclass(frozen=True)
class FeatureStream:
    """The streaming form of `build_features` and `build_coarse_features`.

    However the bars are divided, the rows of all updates together are the matrix of all the bars,
    bit for bit. The size of a state is bounded by the warm-ups and by the bars of one coarse bar.
    A state may be kept and used again: no update changes it.

    Attributes:
        features: At least one, without repetition.
        market_symbols: Every symbol whose bars arrive, in the market's order.
        symbols: Those of them that have columns, in the order of the groups.
        interval: Of the bars.
        resolutions: Longer intervals.

    Raises:
        UsageError: There is no feature, a feature is listed twice, or a resolution is not a longer
            multiple of the interval.
    """

    features: tuple[Feature, ...]
    market_symbols: tuple[str, ...]
    symbols: tuple[str, ...]
    interval: str
    resolutions: tuple[BarInterval, ...] = ()

    def __post_init__(self) -> None:
        """Checks the features and the resolutions."""
        check_distinct(self.features)
        for resolution in self.resolutions:
            check_coarser(resolution, self.interval)

    @cached_property
    def identity(self) -> int:
        """A number of 63 bits that says which features of which symbols and intervals it has."""
        features = [feature.model_dump(mode="json") for feature in self.features]
        bars = (self.market_symbols, self.symbols, self.interval, self.resolutions)
        digest = hashlib.sha256(canonical_json([features, *bars]).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def update(
        self, state: StreamState | None, bars: BarsFrame
    ) -> tuple[StreamState, StreamedFeatures]:
        """The features of the bars that follow those seen so far.

        Args:
            state: What an earlier update returned; None at the first bars of a history.
            bars: Checked bars of one or more timestamps, every market symbol at each.

        Returns:
            The next state, and the features at these bars.

        Raises:
            UsageError: A feature needs a symbol or a volume that the market does not have, or the
                state is of another stream.
            InvalidBarsError: A column or, at a timestamp, a symbol is missing, the bars are not
                in time order or not after those seen, or a value past its warm-up is not finite.
        """
        if state is not None:
            self._check_state(state)
        self._check_columns(bars)
        tables = self._split(bars, None if state is None else state.newest)
        if state is None:  # a single later bar does not tell that its source has no volume
            check_volume(self.features, tables, self.symbols)
        base, matrix = self._update_matrix(MatrixState() if state is None else state.base, tables)
        parts = [
            self._update_coarse(None if state is None else state.coarse[place], tables, resolution)
            for place, resolution in enumerate(self.resolutions)
        ]
        following = StreamState(
            matrix.timestamps[-1], base, tuple(part for part, _ in parts), self.identity
        )
        return following, StreamedFeatures(matrix, tuple(features for _, features in parts))

    def advance(self, state: StreamState, bar: NextBar) -> tuple[StreamState, StreamedRow]:
        """The features of a single bar: `update`, to the last bit, without frames.

        Before the warm-up is over, and of a coarse bar that is completed, they are those of
        `update`.

        Args:
            state: What an earlier call returned.
            bar: The next bar of every market symbol, with the columns that `update` reads.

        Raises:
            UsageError: The state is of another stream.
            InvalidBarsError: A symbol is missing, the bar is not after those seen, or a value past
                its warm-up is not finite.
        """
        self._check_state(state)
        if bar.timestamp <= state.newest or tuple(bar.values) != self.market_symbols:
            raise self._order_error(len(bar.values), bar.timestamp, state.newest)
        base, values = self._advance_matrix(state.base, bar)
        parts = [
            self._advance_coarse(part, bar, resolution)
            for part, resolution in zip(state.coarse, self.resolutions, strict=True)
        ]
        following = StreamState(
            bar.timestamp, base, tuple(kept for kept, _ in parts), self.identity
        )
        return following, StreamedRow(values, tuple(row for _, row in parts))

    def _advance_matrix(self, state: MatrixState, bar: NextBar) -> tuple[MatrixState, Vector]:
        if state.seen < self.warmup:
            kept, matrix = self._update_matrix(state, bar.tables)
            return kept, matrix.values[0]
        advanced = [
            feature.advance_for_symbol(before, bar, symbol)
            for before, (symbol, feature) in zip(state.columns, self._pairs, strict=True)
        ]
        values = np.array([value for _, value in advanced])
        if not np.isfinite(values).all():
            for (symbol, feature), value in zip(self._pairs, values, strict=True):
                column = pd.Series([value], bar.opens)
                check_values(feature, bar.tables[symbol], column, symbol, seen=state.seen)
        return MatrixState(state.seen + 1, tuple(kept for kept, _ in advanced)), values

    def _advance_coarse(
        self, state: CoarseState, bar: NextBar, resolution: BarInterval
    ) -> tuple[CoarseState, tuple[Matrix, int]]:
        bars = state.resampling.append_within(bar, self.interval, resolution)
        if bars is not None:
            nothing = np.empty((0, len(self._pairs)))
            return CoarseState(bars, state.matrix), (nothing, bars.known - 1)
        kept, features = self._update_coarse(state, bar.tables, resolution)
        return kept, (features.features.values, int(features.latest[-1]))

    @cached_property
    def warmup(self) -> int:
        """First row at which every feature is valid."""
        return max(feature.warmup for feature in self.features)

    @cached_property
    def _pairs(self) -> tuple[tuple[str, Feature], ...]:
        """The symbol and feature of each column."""
        return tuple((symbol, feature) for symbol in self.symbols for feature in self.features)

    def _check_state(self, state: StreamState) -> None:
        if state.stream != self.identity:
            raise UsageError(
                "The state is of another feature stream",
                expected="a state of a stream of the same features, symbols and intervals",
                found="one of other features, symbols or intervals, or in another order",
                where="state",
                fix="begin with None and the whole history",
            )

    def _order_error(
        self, count: int, first: pd.Timestamp, newest: pd.Timestamp | None
    ) -> InvalidBarsError:
        return InvalidBarsError(
            "The next bars do not follow those before",
            expected=f"later timestamps, at each a bar of {', '.join(self.market_symbols)}",
            found=f"{count} bars from {first}, after {newest}",
            where="bars",
            fix="bring the bars into time order and leave out those seen before",
        )

    @cached_property
    def required_columns(self) -> tuple[str, ...]:
        """Columns of the bars that an update reads."""
        read = [column for feature in self.features for column in feature.required_columns]
        values = VALUE_COLUMNS if self.resolutions else ()
        return tuple(dict.fromkeys(("timestamp", "symbol", *values, *read)))

    def _check_columns(self, bars: BarsFrame) -> None:
        missing = [column for column in self.required_columns if column not in bars]
        if missing:
            raise InvalidBarsError(
                f"The next bars have no column {', '.join(missing)}",
                expected=f"the columns {', '.join(self.required_columns)}",
                found=", ".join(map(str, bars.columns)) or "no columns",
                where="bars",
                fix="add the column; the volume of a symbol that has none is NaN in every row",
            )

    def _split(self, bars: BarsFrame, newest: pd.Timestamp | None) -> dict[str, pd.DataFrame]:
        """The bars of each symbol by timestamp, in the market's order."""
        tables = {
            symbol: bars[bars["symbol"] == symbol].set_index("timestamp")
            for symbol in self.market_symbols
        }
        stamps = next(iter(tables.values())).index
        ordered = pd.DatetimeIndex(stamps if newest is None else stamps.insert(0, newest))
        is_valid = len(stamps) and ordered.is_monotonic_increasing and ordered.is_unique
        if not is_valid or not all(table.index.equals(stamps) for table in tables.values()):
            raise self._order_error(len(bars), bars["timestamp"].min(), newest)
        return tables

    def _update_matrix(
        self, state: MatrixState, tables: Mapping[str, pd.DataFrame]
    ) -> tuple[MatrixState, FeatureMatrix]:
        stamps = next(iter(tables.values())).index
        if stamps.empty:
            empty = pd.Series(index=stamps, dtype="float64")
            return state, assemble_matrix([empty] * len(self._pairs), self.features, self.symbols)
        updated = [
            feature.update_for_symbol(before, tables, symbol)
            for before, (symbol, feature) in zip(
                state.columns or (None,) * len(self._pairs), self._pairs, strict=True
            )
        ]
        for (symbol, feature), (_, column) in zip(self._pairs, updated, strict=True):
            check_values(feature, tables[symbol], column, symbol, seen=state.seen)
        return (
            MatrixState(state.seen + len(stamps), tuple(kept for kept, _ in updated)),
            assemble_matrix([column for _, column in updated], self.features, self.symbols),
        )

    def _update_coarse(
        self,
        state: CoarseState | None,
        tables: Mapping[str, pd.DataFrame],
        resolution: BarInterval,
    ) -> tuple[CoarseState, CoarseFeatures]:
        resampling, coarse, latest = resample_next_bars(
            None if state is None else state.resampling, tables, self.interval, resolution
        )
        before = MatrixState() if state is None else state.matrix
        kept, matrix = self._update_matrix(before, coarse)
        return CoarseState(resampling, kept), label_coarse_features(resolution, matrix, latest)

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
from engine.data.next_bar import NextBar
from engine.data.resampling_state import resample_next_bars, resample_next_rows
from engine.features.base import Indicator
from engine.features.build import check_distinct
from engine.features.cross_section import check_cross_section, own_feature
from engine.features.matrix_stream import MatrixStream
from engine.features.required_columns import check_columns
from engine.features.resolutions import check_coarser, label_coarse_features
from engine.features.stream_state import CoarseState, StreamState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, Matrix, Vector
    from engine.data import BarInterval
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

    With `gaps` a symbol may have no bar at a timestamp, and may have its first one late. Its
    states do not move then, and its values of that row are NaN: its other rows are the matrix of
    its own bars alone, and their warm-up is counted in these.

    Attributes:
        features: At least one, without repetition.
        market_symbols: Every symbol whose bars arrive, in the market's order.
        symbols: Those of them that have columns, in the order of the groups.
        interval: Of the bars.
        resolutions: Longer intervals.
        gaps: Whether a symbol may have no bar at a timestamp where another has one.

    Raises:
        UsageError: There is no feature, a feature is listed twice, a resolution is not a longer
            multiple of the interval, a feature compares symbols and there is one, or with `gaps`
            there is a resolution or a feature that reads the bars of another symbol.
    """

    features: tuple[Feature, ...]
    market_symbols: tuple[str, ...]
    symbols: tuple[str, ...]
    interval: str
    resolutions: tuple[BarInterval, ...] = ()
    gaps: bool = False

    def __post_init__(self) -> None:
        """Checks the features and the resolutions."""
        check_distinct(self.features)
        check_cross_section(self.features, self.symbols)
        for resolution in self.resolutions:
            check_coarser(resolution, self.interval)
        if self.gaps:
            self._check_gaps()

    def _check_gaps(self) -> None:
        """Refuses what needs a bar of every symbol at each timestamp."""
        joint = [e.name for e in self.features if not isinstance(own_feature(e), Indicator)]
        if joint or self.resolutions:
            raise UsageError(
                "a stream of symbols with gaps computes features of a symbol's own bars only",
                expected="features of one symbol, and no resolution",
                found=", ".join([*joint, *self.resolutions]),
                where="features" if joint else "resolutions",
                fix="leave them out, or give a bar of every symbol at each timestamp",
            )

    @cached_property
    def identity(self) -> int:
        """A number of 63 bits that says which features of which symbols and intervals it has."""
        features = [feature.model_dump(mode="json") for feature in self.features]
        bars = (self.market_symbols, self.symbols, self.interval, self.resolutions, self.gaps)
        digest = hashlib.sha256(canonical_json([features, *bars]).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def update(
        self, state: StreamState | None, bars: BarsFrame
    ) -> tuple[StreamState, StreamedFeatures]:
        """The features of the bars that follow those seen so far.

        Args:
            state: What an earlier update returned; None at the first bars of a history.
            bars: Checked bars of one or more timestamps, every market symbol at each, or with
                `gaps` some.

        Returns:
            The next state, and the features at these bars.

        Raises:
            UsageError: A feature needs a symbol or a column that the market does not have, or the
                state is of another stream.
            InvalidBarsError: A column or, at a timestamp, a symbol is missing, the bars are not
                in time order or not after those seen, or a value past its warm-up is not finite.
        """
        if state is not None:
            self._check_state(state)
        self._check_columns(bars)
        tables = self._split(bars, None if state is None else state.newest)
        if state is None:  # a single later bar does not tell which columns its source has
            check_columns(self.features, tables, self.symbols)
        before = self._matrix.initial if state is None else state.base
        base, matrix = self._matrix.update(before, tables)
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

        Before the warm-up of a symbol is over, its features are computed by `update`.

        Args:
            state: What an earlier call returned.
            bar: The next bar of every market symbol, or with `gaps` of some, with the columns
                that `update` reads.

        Raises:
            UsageError: The state is of another stream.
            InvalidBarsError: A symbol is missing, the bar is not after those seen, or a value past
                its warm-up is not finite.
        """
        self._check_state(state)
        if bar.timestamp <= state.newest or not self._has_symbols(bar):
            raise self._order_error(len(bar.values), bar.timestamp, state.newest)
        base, values = self._matrix.advance(state.base, bar)
        parts = [
            self._advance_coarse(part, bar, resolution)
            for part, resolution in zip(state.coarse, self.resolutions, strict=True)
        ]
        following = StreamState(
            bar.timestamp, base, tuple(kept for kept, _ in parts), self.identity
        )
        return following, StreamedRow(values, tuple(row for _, row in parts))

    def _advance_coarse(
        self, state: CoarseState, bar: NextBar, resolution: BarInterval
    ) -> tuple[CoarseState, tuple[Matrix, int]]:
        nothing = np.empty((0, len(self.symbols) * len(self.features)))
        within = state.resampling.append_within(bar, self.interval, resolution)
        if within is not None:
            return CoarseState(within, state.matrix), (nothing, within.known - 1)
        row = np.array([bar.row(self.market_symbols, VALUE_COLUMNS)])
        bars, coarse, latest = resample_next_rows(state.resampling, row, self.interval, resolution)
        matrix, rows = state.matrix, [nothing]
        for completed in NextBar.of_rows(coarse, self.market_symbols, VALUE_COLUMNS):
            matrix, values = self._matrix.advance(matrix, completed)
            rows.append(values[None])
        return CoarseState(bars, matrix), (np.vstack(rows), int(latest[-1]))

    def _has_symbols(self, bar: NextBar) -> bool:
        """Whether the bar is of the symbols that it may be of."""
        found = tuple(bar.values)
        if not self.gaps or len(found) == len(self.market_symbols):
            return found == self.market_symbols
        return 0 < len(found) == len(self._market.intersection(found))

    @cached_property
    def _market(self) -> frozenset[str]:
        return frozenset(self.market_symbols)

    @cached_property
    def _matrix(self) -> MatrixStream:
        return MatrixStream(self.features, self.symbols)

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
            expected=f"later timestamps, at each a bar of {'some' if self.gaps else 'all'} of "
            f"{', '.join(self.market_symbols)}",
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
        # Found once for all: a comparison with the name of each of 500 symbols takes seconds.
        rows = bars.groupby("symbol", sort=False).indices
        tables = {
            symbol: bars.iloc[rows.get(symbol, [])].set_index("timestamp")
            for symbol in self.market_symbols
        }
        indexes = [pd.DatetimeIndex(table.index) for table in tables.values()]
        own = [index for index in indexes if len(index)] if self.gaps else indexes
        is_valid = all(map(len, own)) and all(
            index.is_monotonic_increasing
            and index.is_unique
            and (newest is None or index[0] > newest)
            and (self.gaps or index.equals(own[0]))
            for index in own
        )
        if not own or not is_valid:
            raise self._order_error(len(bars), bars["timestamp"].min(), newest)
        return tables

    def _update_coarse(
        self,
        state: CoarseState | None,
        tables: Mapping[str, pd.DataFrame],
        resolution: BarInterval,
    ) -> tuple[CoarseState, CoarseFeatures]:
        resampling, coarse, latest = resample_next_bars(
            None if state is None else state.resampling, tables, self.interval, resolution
        )
        before = self._matrix.initial if state is None else state.matrix
        kept, matrix = self._matrix.update(before, coarse)
        return CoarseState(resampling, kept), label_coarse_features(resolution, matrix, latest)

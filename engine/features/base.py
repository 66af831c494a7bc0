"""The base of all features: frozen specifications with a name, a warm-up and values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from engine.core.part_origin import is_built_in
from engine.core.types import Spec
from engine.features.contract import check_column
from engine.features.symbol_states import stack_states
from engine.features.window_state import update_on_window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.core.types import Matrix, Vector
    from engine.data.next_bar import NextBar
    from engine.features.symbol_states import SymbolStates
    from engine.features.window_state import FeatureState

RollingWindow = Annotated[int, Field(ge=2, le=1000)]
"""Bars in the window of a rolling feature, the current one included."""


class FeatureSpec(Spec, ABC):
    """A feature: one column per symbol, causal and independent of the scale of prices and volumes.

    The value at bar t uses bars up to t. From row `warmup` on it is finite on any valid bars and
    does not depend on the first bar of the history: up to rounding for features with a window of
    fixed length; RSI and MACD, which smooth exponentially, state the remaining dependence, which
    is large where the price has fallen by orders of magnitude.

    The batch form computes all bars at once. The streaming form computes the bars that arrive,
    from a state that holds what is needed of the earlier ones; however the bars are divided, its
    values equal those of the batch form bit for bit.

    Attributes:
        required_columns: Columns of the bars that the values depend on; none where they depend
            on the time of the bar.
    """

    if TYPE_CHECKING:
        # Subclasses have these as a field, a constant or a property.
        @property
        def required_columns(self) -> tuple[str, ...]:
            """Columns of the bars that the values depend on."""

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""
    else:
        required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "volume")

    @property
    def name(self) -> str:
        """The kind and every parameter: `rsi_14`, `macd_12_26_9`."""
        return "_".join(str(value).removesuffix(".0") for value in self.model_dump().values())

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Leading bars without a valid value."""

    @property
    @abstractmethod
    def input_columns(self) -> tuple[str, ...]:
        """What the values depend on: columns such as `close` or `ETH-USD:close`, or `time`."""

    @abstractmethod
    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol at each bar.

        Args:
            market: Symbol -> bars as in `Indicator.compute`, all on the same timestamps.
            symbol: A symbol of the market.

        Returns:
            float64 with the index of the symbol's bars, named `name`; NaN in the first `warmup`
            rows.

        Raises:
            UsageError: The feature needs a symbol that the market does not have.
        """

    def update_for_symbol(
        self, state: FeatureState | None, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature of one symbol at the bars that follow those seen so far.

        This default keeps the last `warmup` bars of every symbol and calls `compute_for_symbol`
        on these and the new ones. It equals the batch form where a value depends on the bars of
        its window only, to the last bit, as those of `engine.features.rolling` do; pandas' rolling
        mean and deviation also depend on earlier bars.

        Args:
            state: What an earlier call returned; None at the first bars of a history.
            market: Symbol -> the new bars, one or more, in the order and the form of
                `compute_for_symbol`; every call has the same symbols in the same order.
            symbol: A symbol of the market.

        Returns:
            The next state, and the values as `compute_for_symbol` gives them at these bars in the
            whole history. A state is a float64 array, finite or NaN, which no call changes; its
            size has a bound that does not depend on the number of bars.

        Raises:
            UsageError: As in `compute_for_symbol`.
        """
        return self._update_on_window(
            state,
            tuple(market.values()),
            lambda tables: self.compute_for_symbol(dict(zip(market, tables, strict=True)), symbol),
        )

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The feature of one symbol at a single bar, after the warm-up.

        It gives the bits of `update_for_symbol`, which this default calls; a feature that is
        computed from numbers instead of frames takes a fraction of the time.

        Args:
            state: What an earlier call returned, after `warmup` bars or more.
            bar: The next bar of every symbol.
            symbol: A symbol of the market.

        Raises:
            ContractError: The column of a user's feature breaks a rule.
        """
        kept, column = self.update_for_symbol(state, bar.tables, symbol)
        if not is_built_in(type(self)):
            check_column(self, bar.tables[symbol], column, symbol, seen=self.warmup)
        return kept, float(column.iloc[0])

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The feature of several symbols at a single bar each, after the warm-up.

        It gives the bits of `advance_for_symbol`, which this default calls for each of them; a
        feature that is computed from the arrays of all symbols takes a fraction of the time.

        Args:
            states: Of each symbol; a later axis of an array is that of the symbol's state.
            bar: The next bar, of these symbols at least.
            symbols: Two or more symbols of the bar.

        Returns:
            The next states, and (symbols,) the values.

        Raises:
            ContractError: The column of a user's feature breaks a rule.
        """
        advanced = [
            self.advance_for_symbol(state, bar, symbol)
            for state, symbol in zip(states, symbols, strict=True)
        ]
        return stack_states([kept for kept, _ in advanced]), np.array([v for _, v in advanced])

    def _append_bars(
        self, states: SymbolStates, bar: NextBar, sources: Sequence[Sequence[str]]
    ) -> tuple[SymbolStates, list[Matrix]]:
        """`_append_bar` of several symbols.

        Args:
            states: (symbols, `warmup`, 1 + columns) of each symbol.
            bar: The next bar.
            sources: Of each group of required columns, whose bars are read: a symbol each.

        Returns:
            The next states; and each column, contiguous, (`warmup` + 1, symbols).
        """
        before = np.asarray(states)
        symbols, length, width = before.shape
        rows = np.empty((symbols, length + 1, width))
        rows[:, :-1] = before
        rows[:, -1, 0] = bar.open_us
        read = ((source, column) for source in sources for column in self.required_columns)
        for place, (source, column) in enumerate(read, start=1):
            rows[:, -1, place] = bar.column(column, source)
        return rows[:, 1:], list(np.ascontiguousarray(rows.transpose(2, 1, 0)[1:]))

    def _append_bar(
        self, state: FeatureState, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[FeatureState, Matrix]:
        """The next state of `_update_on_window`, and its columns on the last `warmup` + 1 bars."""
        rows = np.empty((len(state) + 1, state.shape[1]))
        rows[:-1] = state
        rows[-1] = bar.row(symbols, self.required_columns)
        return rows[1:], np.ascontiguousarray(rows.T[1:])

    def _update_on_window(
        self,
        state: FeatureState | None,
        tables: Sequence[pd.DataFrame],
        compute: Callable[[Sequence[pd.DataFrame]], pd.Series[float]],
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The batch form on the new bars of some symbols and the last `warmup` before them."""
        kept, values = update_on_window(state, tables, self.required_columns, self.warmup, compute)
        return kept, pd.Series(values, index=tables[0].index, name=self.name)

    def _mask_warmup(self, values: pd.Series[float], seen: int = 0) -> pd.Series[float]:
        """Sets the name, and NaN in the warm-up, of which `seen` bars are before the first row."""
        trimmed = values.to_numpy(dtype=np.float64, copy=True)
        trimmed[: max(self.warmup - seen, 0)] = np.nan
        return pd.Series(trimmed, index=values.index, name=self.name)


class Indicator(FeatureSpec, ABC):
    """A feature of a symbol's own bars."""

    @property
    def input_columns(self) -> tuple[str, ...]:
        """Columns of the symbol's own bars, or their `time`."""
        return self.required_columns or ("time",)

    @abstractmethod
    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The values; those of the first `warmup` rows are replaced by NaN."""

    def compute(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The feature at each bar.

        Args:
            bars: One symbol's bars in time order: index UTC, the open of each bar; columns open,
                high, low, close (above 0, open and close within low and high) and volume (0 or
                more), without NaN.

        Returns:
            float64 with the index of `bars`, named `name`; NaN in the first `warmup` rows.
        """
        return self._mask_warmup(self.compute_values(bars))

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature at the bars that follow those seen so far.

        This default is that of `update_for_symbol`. A feature whose value depends on more than its
        last `warmup` + 1 bars has an `update` of its own.

        Args:
            state: What an earlier call returned; None at the first bars of a history.
            bars: One or more new bars, as in `compute`.

        Returns:
            The next state, and the values at these bars.
        """
        return self._update_on_window(state, (bars,), lambda tables: self.compute(tables[0]))

    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol, independent of the others."""
        return self.compute(market[symbol])

    def update_for_symbol(
        self, state: FeatureState | None, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature of one symbol at its new bars, independent of the others."""
        return self.update(state, market[symbol])


class WindowIndicator(Indicator, ABC):
    """An indicator that is computed from arrays of the last `warmup` + 1 bars alone."""

    @abstractmethod
    def compute_array(self, columns: Mapping[str, Vector | Matrix]) -> Vector | Matrix:
        """The values at each bar; those of the first `warmup` are not used.

        Args:
            columns: Each of `required_columns`, shape (n,), or (n, k) of k symbols, whose values
                have the bits that each has alone.

        Returns:
            The shape of the columns.
        """

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The values at each bar."""
        columns = {name: bars[name].to_numpy("float64") for name in self.required_columns}
        return pd.Series(self.compute_array(columns), index=bars.index)

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The feature of one symbol at a single bar, from the arrays of its window."""
        kept, columns = self._append_bar(state, bar, (symbol,))
        named = dict(zip(self.required_columns, columns, strict=True))
        return kept, self.compute_newest(named)

    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The value at the last of `warmup` + 1 bars.

        It has the bits of `compute_array`, which this default calls; a feature that computes no
        value of the bars before takes a fraction of the time.

        Args:
            columns: Each of `required_columns`, shape (`warmup` + 1,).
        """
        return float(self.compute_array(columns)[-1])

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The feature of several symbols at a single bar, from the arrays of their windows."""
        kept, columns = self._append_bars(states, bar, (symbols,))
        values = self.compute_array(dict(zip(self.required_columns, columns, strict=True)))
        return kept, values[-1]

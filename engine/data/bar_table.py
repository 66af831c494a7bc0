"""Bars of several symbols on the same timestamps, long and wide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from engine.data.bars import VALUE_COLUMNS
from engine.data.panel import (
    last_present,
)
from engine.data.traded_bars import find_traded_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame, BoolMatrix, IntMatrix, IntVector, Matrix, WideFrame


@dataclass(frozen=True)
class BarTable:
    """Every symbol at every timestamp.

    Attributes:
        bars: Long bars, float64, every symbol at every timestamp in the order of `symbols`; no
            NaN but in the volume of a symbol whose source has none, which is NaN in every row,
            and in all columns where a symbol of a panel has no bar.
        symbols: In the dataset's order.
    """

    bars: BarsFrame
    symbols: tuple[str, ...]

    def wide(self, column: str, symbols: Sequence[str] | None = None) -> WideFrame:
        """One column of the bars, a column a symbol; those of the market in their order."""
        values = self.bars[column].to_numpy().reshape(-1, len(self.symbols))
        chosen = self.symbols if symbols is None else tuple(symbols)
        if chosen != self.symbols:
            values = values[:, [self.symbols.index(symbol) for symbol in chosen]]
        return pd.DataFrame(values, index=self._timestamps, columns=_symbol_columns(chosen).view())

    def with_values(self, values: Matrix, rows: IntVector | None = None) -> Self:
        """Other prices and volumes, at all times or at some.

        Args:
            values: (n, 5) the columns of `VALUE_COLUMNS`, a row for each symbol at each time.
            rows: Places of the times that are kept, ascending; None keeps all.
        """
        stamps = self._timestamps if rows is None else self._timestamps[rows]
        return self.at_times(stamps, values.T)

    def at_times(self, stamps: pd.DatetimeIndex, columns: Matrix) -> Self:
        """Bars of the same symbols at other times, of which there may be more.

        Args:
            stamps: (n,) ascending, UTC.
            columns: (5, m) a row for each of `VALUE_COLUMNS`; in it each symbol at each time.
        """
        count = len(self.symbols) * len(stamps)
        bars = self.bars.iloc[:count].copy(deep=False)  # symbols recur at each time
        if count > len(bars):
            places = np.arange(count) % len(self.symbols)
            bars = bars.iloc[: len(self.symbols)].take(places).reset_index(drop=True)
        if stamps is not self._timestamps:
            bars["timestamp"] = stamps.repeat(len(self.symbols))
        bars[list(VALUE_COLUMNS)] = columns.T
        other = replace(self, bars=bars)
        vars(other)["_timestamps"] = stamps  # in the same order, which was checked
        return other

    @cached_property
    def traded(self) -> WideFrame:
        """Whether something traded at each bar, wide and bool, see `find_traded_bars`.

        Nothing did where a symbol has no bar.
        """
        return find_traded_bars(*map(self.wide, ("volume", "high", "low", "close")))

    @cached_property
    def present(self) -> WideFrame:
        """Whether each symbol has a bar at each timestamp, wide and bool."""
        return self._as_wide(~np.isnan(self.wide("close").to_numpy()))

    @cached_property
    def begun(self) -> WideFrame:
        """Whether each symbol has had a bar by each timestamp, wide and bool."""
        return self._as_wide(last_present(self.present.to_numpy()) >= 0)

    @property
    def present_bars(self) -> BarsFrame:
        """The long bars without the rows at which a symbol has none."""
        if not self.has_absences:
            return self.bars
        return self.bars[self.present.to_numpy().ravel()].reset_index(drop=True)

    @cached_property
    def has_absences(self) -> bool:
        """Whether a symbol has no bar at some timestamp."""
        return not self.present.to_numpy().all()

    @cached_property
    def lacks_values(self) -> bool:
        """Whether a price or a volume is missing somewhere."""
        return bool(np.isnan(self.bars[list(VALUE_COLUMNS)].to_numpy()).any())

    @cached_property
    def bars_by_symbol(self) -> dict[str, pd.DataFrame]:
        """The bars that each symbol has, in the order of `symbols`, indexed by timestamp."""
        if not self.is_regular:
            indexed, symbols = self.bars.set_index("timestamp"), self.bars["symbol"].to_numpy()
            return {symbol: indexed[symbols == symbol] for symbol in self.symbols}
        columns = self.bars.copy(deep=False)
        del columns["timestamp"]
        found = {}
        for place, symbol in enumerate(self.symbols):
            found[symbol] = columns.iloc[place :: len(self.symbols)]
            found[symbol].index = self._timestamps
            if self.has_absences:
                found[symbol] = found[symbol][self.present[symbol].to_numpy()]
        return found

    @property
    def is_regular(self) -> bool:
        """Whether the rows are the symbols in their order, again and again."""
        if "_timestamps" in vars(self):
            return True
        count = len(self.symbols)
        if len(self.bars) % count:
            return False
        order = self.bars["symbol"].to_numpy().reshape(-1, count)
        return bool((order == np.array(self.symbols, dtype=object)).all())

    @cached_property
    def _timestamps(self) -> pd.DatetimeIndex:
        """Each once; the rows between them have to be the symbols in their order."""
        if not self.is_regular:
            raise ValueError("bars of a market have every symbol at every timestamp, in one order")
        stamps = self.bars["timestamp"].iloc[:: len(self.symbols)]
        return pd.DatetimeIndex(stamps, name="timestamp")

    def _as_wide(self, values: Matrix | BoolMatrix | IntMatrix) -> WideFrame:
        columns = _symbol_columns(self.symbols).view()
        return pd.DataFrame(values, index=self._timestamps, columns=columns)


@lru_cache(maxsize=32)
def _symbol_columns(symbols: tuple[str, ...]) -> pd.Index:
    """The columns of a wide frame, whose making takes longer than that of the rest."""
    return pd.Index(list(symbols))

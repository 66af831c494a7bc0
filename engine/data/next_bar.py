"""The bars of one timestamp as numbers: what the features of a single bar are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.core.types import PRICE_COLUMNS
from engine.data.bar_rows import rows_to_bars
from engine.data.bars import MAX_PRICE, MIN_PRICE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from engine.core.types import BarsFrame, Matrix, Vector

BAR_NAMES = frozenset(("timestamp", "symbol"))
"""Columns of bars that are no numbers."""


@dataclass(frozen=True, eq=False)
class NextBar:
    """One bar of every symbol of a market, at one timestamp.

    A frame of a single row costs a hundred times as much as its numbers.

    Attributes:
        timestamp: Open of the bar, UTC.
        values: Symbol -> column -> value, in the order of the market.
    """

    timestamp: pd.Timestamp
    values: Mapping[str, Mapping[str, float]]

    @classmethod
    def of_bars(cls, bars: BarsFrame) -> NextBar:
        """The bars of one timestamp, a row a symbol, in the order of the market.

        Args:
            bars: Columns `timestamp`, `symbol` and numbers.

        Raises:
            InvalidBarsError: There is no row, several timestamps, or a symbol twice.
        """
        columns = {str(name): column.tolist() for name, column in bars.items()}
        stamps, symbols = (columns.pop(name, []) for name in ("timestamp", "symbol"))
        if len(set(stamps)) != 1 or len(set(symbols)) != len(stamps):
            raise InvalidBarsError(
                "these are not the bars of one timestamp",
                expected="columns timestamp and symbol, one timestamp, each symbol once",
                found=f"{len(bars)} rows of {len(set(stamps))} timestamps and "
                f"{len(set(symbols))} symbols",
                where="bars",
                fix="give the bars of one timestamp at a time, in the order of time",
            )
        rows = zip(*columns.values(), strict=True)
        values = (dict(zip(columns, row, strict=True)) for row in rows)
        return cls(stamps[0], dict(zip(symbols, values, strict=True)))

    @classmethod
    def of_market(cls, bars: BarsFrame, symbols: Sequence[str]) -> Iterator[NextBar]:
        """The bars of a market one after another.

        Args:
            bars: `Market.bars`, or the last of them.
            symbols: Of the market, in its order.
        """
        columns = {
            str(name): column.tolist() for name, column in bars.items() if name not in BAR_NAMES
        }
        rows = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        width = len(symbols)
        for place, stamp in enumerate(bars["timestamp"].iloc[::width]):
            own = rows[place * width : (place + 1) * width]
            yield cls(stamp, dict(zip(symbols, own, strict=True)))

    @classmethod
    def of_rows(
        cls, rows: Matrix, symbols: Sequence[str], columns: Sequence[str]
    ) -> Iterator[NextBar]:
        """The bars of rows as `bars_to_rows` has them.

        Args:
            rows: (n, 1 + symbols x columns).
            symbols: Of the market, in its order.
            columns: The columns of each.
        """
        for opened, *values in rows.tolist():
            by_symbol = zip(*[iter(values)] * len(columns), strict=True)
            bars = [dict(zip(columns, own, strict=True)) for own in by_symbol]
            stamp = pd.Timestamp(int(opened), unit="us", tz="UTC")
            yield cls(stamp, dict(zip(symbols, bars, strict=True)))

    @cached_property
    def open_us(self) -> int:
        """The open in microseconds since 1970."""
        try:
            return self.timestamp.value // 1000  # nanoseconds
        except OverflowError:  # before 1678 or after 2261
            return int(self.timestamp.as_unit("us").asm8.view(np.int64))

    @cached_property
    def opens(self) -> pd.DatetimeIndex:
        """The open, as an index of one timestamp."""
        return pd.DatetimeIndex([self.timestamp])

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Symbol -> the bar as a frame of one row, index UTC, with every column."""
        symbols = list(self.values)
        columns = list(self.values[symbols[0]])
        row = np.array([self.row(symbols, columns)])
        return dict(zip(symbols, rows_to_bars(row, columns, len(symbols)), strict=True))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {symbol: place for place, symbol in enumerate(self.values)}

    @cached_property
    def _columns(self) -> dict[str, Vector]:
        """Those that were read so far, of all symbols."""
        return {}

    def column(self, name: str, symbols: Sequence[str]) -> Vector:
        """(symbols,) a column of the bars of some symbols."""
        if name not in self._columns:
            self._columns[name] = np.array(
                [values[name] for values in self.values.values()], dtype=np.float64
            )
        if symbols == tuple(self.values):
            return self._columns[name]
        return self._columns[name][[self._places[symbol] for symbol in symbols]]

    def at(self, timestamp: pd.Timestamp) -> NextBar:
        """The same values at another time."""
        return NextBar(timestamp, self.values)

    def select(self, symbols: Sequence[str]) -> NextBar:
        """The bars of some symbols."""
        return NextBar(self.timestamp, {symbol: self.values[symbol] for symbol in symbols})

    def without_absences(self) -> NextBar:
        """The bars of the symbols that have one: of a panel, others have no close."""
        present = [symbol for symbol, own in self.values.items() if own["close"] == own["close"]]
        return self if len(present) == len(self.values) else self.select(present)

    def row(self, symbols: Sequence[str], columns: Sequence[str]) -> list[float]:
        """The open and these values, 1 + symbols x columns, as `bars_to_rows` has them."""
        values = (self.values[symbol][column] for symbol in symbols for column in columns)
        return [float(self.open_us), *values]


def require_tradable(bar: NextBar, close_only: Collection[str] = ()) -> None:
    """Refuses a price at which no order can be filled.

    Args:
        bar: The bar.
        close_only: Symbols of which the source has closes alone; their other prices are NaN.

    Raises:
        InvalidBarsError: A price is not a number between `MIN_PRICE` and `MAX_PRICE`.
    """
    unfit = {
        symbol: values
        for symbol, values in bar.values.items()
        if not all(
            MIN_PRICE <= values[name] <= MAX_PRICE
            for name in (("close",) if symbol in close_only else PRICE_COLUMNS)
        )
    }
    for symbol, values in unfit.items():
        raise unfit_price_error(len(unfit), f"{symbol} at {bar.timestamp}", values)


def unfit_price_error(count: int, where: str, first: Mapping[str, float]) -> InvalidBarsError:
    """The error of bars whose prices cannot be simulated.

    Args:
        count: How many.
        where: Symbol and timestamp of the first.
        first: Its values by column.
    """
    values = ", ".join(f"{name} {first[name]:g}" for name in PRICE_COLUMNS)
    return InvalidBarsError(
        f"{count} bars have a price that cannot be simulated",
        expected=f"prices between {MIN_PRICE:g} and {MAX_PRICE:g}",
        found=f"{where}: {values}",
        where="bars of the market",
        fix="use another unit of money, which changes no return: `quality: {price_scale: "
        "repair}` in the dataset multiplies all prices of a symbol by one factor",
    )

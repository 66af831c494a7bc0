"""The fills of a book as numbers, and pairs of them that have to be equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.leakage.comparison import OutputPair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import IntVector, Matrix, Vector
    from engine.leakage.plan import KnownPrice
    from engine.simulation.portfolio import SimulationResult


def find_rows(trades: pd.DataFrame, bars: pd.DatetimeIndex) -> IntVector:
    """(m,) the place of the bar of each fill; -1 of one that is not among them."""
    return bars.get_indexer(pd.Index(trades["timestamp"]))


def find_columns(trades: pd.DataFrame, symbols: pd.Index) -> IntVector:
    """(m,) the place of the symbol of each fill; -1 of one that is not among them."""
    # Text is looked up once for each symbol: in all rows that takes twice as long.
    codes, traded = pd.factorize(trades["symbol"].array)
    return symbols.get_indexer(pd.Index(traded))[codes]


def find_signs(trades: pd.DataFrame) -> Vector:
    """(m,) 1 of a buy, -1 of a sell."""
    return np.where(trades["side"].array == "buy", 1.0, -1.0)


@dataclass(frozen=True, eq=False)
class FillRecords:
    """The fills of one book and what they lead to, as numbers.

    Attributes:
        columns: Of the fills.
        symbols: Traded.
        bars: (m,) bar of each fill, ascending.
        fills: (m, k) one column each; symbols by their place, sells negative.
        marks: (n, 1 + symbols) return of each bar, and what is held at its close.
    """

    columns: tuple[str, ...]
    symbols: tuple[str, ...]
    bars: pd.DatetimeIndex
    fills: Matrix
    marks: Matrix

    @classmethod
    def from_result(cls, result: SimulationResult) -> FillRecords:
        """Of one book."""
        trades, symbols = result.trades, result.held_weights.columns
        bars = pd.DatetimeIndex(trades["timestamp"])
        columns = {
            **{str(name): trades[name] for name in trades},
            "timestamp": bars.asi8,
            "symbol": find_columns(trades, symbols),
            "side": find_signs(trades),
        }
        return cls(
            tuple(columns),
            tuple(symbols),
            bars,
            np.column_stack([np.asarray(each, dtype=np.float64) for each in columns.values()]),
            np.column_stack([result.returns.to_numpy(), result.held_weights.to_numpy()]),
        )

    def count_until(self, bar: pd.Timestamp) -> int:
        """Fills up to a bar."""
        return int(self.bars.searchsorted(bar, side="right"))


def pair_fills(
    book: str,
    original: FillRecords,
    perturbed: FillRecords,
    bars: pd.DatetimeIndex,
    *,
    price_known: KnownPrice,
) -> Iterator[OutputPair]:
    """One book's fills on `bars`, and its returns and holdings at their closes.

    Args:
        book: Its name.
        original: From the real bars and decisions.
        perturbed: From other ones.
        bars: The out-of-sample bars up to the cutoff.
        price_known: Of the last bar only its `open`: then no close of it is marked at.
    """
    one, two = (each.count_until(bars[-1]) for each in (original, perturbed))
    yield OutputPair(
        "fills",
        tuple(f"{book} {column} of the fill" for column in original.columns),
        original.bars[:one],
        original.fills[:one],
        perturbed.fills[:two],
        perturbed.bars[:two],
    )
    marked = bars[:-1] if price_known == "open" else bars
    holdings = (f"{book} holding of {symbol}" for symbol in original.symbols)
    yield OutputPair(
        "fills",
        (f"{book} return", *holdings),
        marked,
        original.marks[: len(marked)],
        perturbed.marks[: len(marked)],
    )

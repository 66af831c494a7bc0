"""Bars whose every rise is a fall, and every fall a rise, from a row on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data import MAX_PRICE, MIN_PRICE, VALUE_COLUMNS

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector
    from engine.data import Market


def mirror_after(market: Market, row: int) -> Market:
    """The market with the prices after a row mirrored about the close of that row.

    A price p becomes c^2 / p, where c is that close, or the first one after it of a symbol that
    has none yet: every log return, over any span after the row, has the other sign, so that
    whatever is decided by the direction of a span is decided the other way. A high becomes a low.
    Volumes above 0 are mirrored about their median likewise. Which bars there are stays.

    Args:
        market: The bars; NaN where a symbol lacks a bar or a column, which stays.
        row: Place of the last time that is kept, 0 or later.

    Returns:
        Valid bars: prices from `MIN_PRICE` to `MAX_PRICE`, open and close within low and high.
    """
    values: Matrix = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
    by_symbol = values.reshape(-1, len(market.symbols), len(VALUE_COLUMNS))
    for number in range(len(market.symbols)):
        bars = by_symbol[:, number]
        later = bars[row + 1 :]
        pivot = _find_pivot(bars[:, 3], row)
        opened, high, low, close = (pivot * (pivot / later[:, column]) for column in range(4))
        mirrored = np.column_stack([opened, low, high, close])
        later[:, :4] = np.clip(mirrored, MIN_PRICE, MAX_PRICE)
        later[:, 4] = _mirror_volumes(later[:, 4])
    return market.with_values(values)


def _find_pivot(close: Vector, row: int) -> float:
    """The last close up to a row, else the first after it."""
    known = np.flatnonzero(np.isfinite(close))
    if not len(known):
        return 1.0
    return float(close[known[max(0, int(known.searchsorted(row, side="right")) - 1)]])


def _mirror_volumes(volume: Vector) -> Vector:
    traded = volume > 0.0
    middle = float(np.median(volume[traded])) if traded.any() else 1.0
    return np.where(traded, middle * (middle / np.where(traded, volume, 1.0)), volume)

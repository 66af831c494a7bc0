"""Symbols that have no bar at some timestamps: when they are listed, and what they are marked at.

Every value of a row is of that row and of those before it: whether a symbol is halted or gone is
decided by the time since its last bar, never by a later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import MIN_PRICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BarsFrame, BoolMatrix, IntMatrix, Matrix, Vector


BEFORE_LISTING = 1.0
"""Price at which a symbol is marked before its first bar, when nothing can be held of it."""


def last_present(present: BoolMatrix) -> IntMatrix:
    """By each row the last row at which the symbol had a bar, itself included; -1 before."""
    rows = np.arange(len(present))[:, None]
    last: IntMatrix = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
    return last


def find_listed(present: BoolMatrix, stamps: pd.DatetimeIndex, after_days: int) -> BoolMatrix:
    """Whether a symbol is listed at each row: it had a bar, at most so many days ago.

    Args:
        present: (n, m) whether there is a bar.
        stamps: (n,) ascending.
        after_days: Calendar days.
    """
    last = last_present(present)
    times = stamps.as_unit("us").asi8
    limit = pd.Timedelta(days=after_days) // pd.Timedelta(microseconds=1)
    listed: BoolMatrix = (last >= 0) & (times[:, None] - times[np.maximum(last, 0)] <= limit)
    return listed


def find_settlements(listed: BoolMatrix, present: BoolMatrix) -> BoolMatrix:
    """The rows at which a symbol is found to be delisted, and what is held of it is paid out."""
    before = np.vstack([np.zeros((1, listed.shape[1]), dtype=np.bool_), listed[:-1]])
    return before & ~listed & ~present


def settlement_price(close: float, delisting_return: float) -> float:
    """What a unit of a delisted symbol pays; a total loss pays `MIN_PRICE`, as 0 cannot be traded.

    Args:
        close: The last.
        delisting_return: From that close.
    """
    return max(close * (1.0 + delisting_return), MIN_PRICE)


def carry_closes(
    close: Matrix, present: BoolMatrix, settlements: BoolMatrix, returns: Vector
) -> Matrix:
    """What a unit is worth at each row: the close, the last one while there is no bar.

    Args:
        close: (n, m) NaN where there is no bar.
        present: (n, m).
        settlements: (n, m) where a symbol is settled.
        returns: (m,) delisting returns.

    Returns:
        (n, m): NaN before the first bar; from a settlement on its price, until the next bar.
    """
    last = last_present(present)
    carried = np.where(last >= 0, np.take_along_axis(close, np.maximum(last, 0), axis=0), np.nan)
    settled = last_present(settlements)
    is_paid = settled > last
    for row, column in np.argwhere(is_paid):
        carried[row, column] = settlement_price(carried[row, column], returns[column])
    return carried


def unite_symbols(frames: Mapping[str, BarsFrame]) -> BarsFrame:
    """Long bars of every symbol at every timestamp that one of them has.

    Args:
        frames: Validated bars of each symbol, in the dataset's order.

    Returns:
        Sorted by timestamp, then in the order of `frames`; prices and volume of a symbol that has
        no bar at a timestamp are NaN.
    """
    stamps = pd.DatetimeIndex([])
    for frame in frames.values():
        own = pd.DatetimeIndex(frame["timestamp"])
        stamps = own if not len(stamps) else stamps.union(own)
    placed = []
    for symbol, frame in frames.items():
        if len(frame) == len(stamps):  # they are all of them
            placed.append(frame)
            continue
        wide = frame.drop(columns="symbol").set_index("timestamp").reindex(stamps)
        wide.index.name = "timestamp"
        rows = wide.reset_index()
        rows.insert(1, "symbol", pd.Series([symbol] * len(rows), dtype=frame["symbol"].dtype))
        placed.append(rows[list(frame.columns)])
    bars = pd.concat(placed, ignore_index=True)
    return bars.sort_values("timestamp", kind="stable", ignore_index=True)


def complete_rows(bars: BarsFrame, symbols: Sequence[str]) -> BarsFrame:
    """Long bars with a row of every symbol at every timestamp, NaN where it has no bar.

    Args:
        bars: Each once; those of a market that is no panel are returned as they are.
        symbols: Of the market, in its order.
    """
    if len(bars) == len(symbols) * bars["timestamp"].nunique():
        return bars
    stamps = pd.DatetimeIndex(bars["timestamp"].unique()).sort_values()
    rows = pd.MultiIndex.from_product([stamps, symbols], names=["timestamp", "symbol"])
    placed = bars.set_index(["timestamp", "symbol"]).reindex(rows).reset_index()
    return placed.astype(bars.dtypes.to_dict())[list(bars.columns)]

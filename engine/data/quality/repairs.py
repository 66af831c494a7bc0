"""The repairs, by name. Each keeps the index of the bars it keeps, so that changes can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.quality.spotted import Spotted
from engine.types import PRICE_COLUMNS, BarsFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

Repair = Callable[[BarsFrame, Spotted], BarsFrame]


def _sort(bars: BarsFrame, _spotted: Spotted) -> BarsFrame:
    return bars.sort_values("timestamp", kind="stable")


def _drop(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    return bars.drop(index=bars.index[spotted.rows])


def _keep_last(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    """Of the bars that conflict, the one that stands last in the file."""
    conflicting = bars["timestamp"].isin(bars["timestamp"].iloc[spotted.rows])
    return bars[~(conflicting & bars["timestamp"].duplicated(keep="last"))]


def _open_from_previous_close(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    """The close before, moved into low to high; a first bar has none before it and goes."""
    repaired = bars.copy()
    rows = spotted.rows[spotted.rows > 0]
    here, before = bars.iloc[rows], bars["close"].to_numpy()[rows - 1]
    opens = np.clip(before, here["low"].to_numpy(), here["high"].to_numpy())
    repaired.loc[here.index, "open"] = opens
    return repaired.iloc[1:] if rows.size < spotted.rows.size else repaired


def _widen_range(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    """High is the highest of the four prices, low the lowest."""
    repaired = bars.copy()
    prices = bars.iloc[spotted.rows][list(PRICE_COLUMNS)]
    repaired.loc[prices.index, "high"] = prices.max(axis=1)
    repaired.loc[prices.index, "low"] = prices.min(axis=1)
    return repaired


def _rescale(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    repaired = bars.copy()
    columns = [name for name in (*PRICE_COLUMNS, "adj_close") if name in bars]
    repaired.loc[bars.index[spotted.rows], columns] *= spotted.factor
    return repaired


def _apply_split(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    """Prices divided by the ratio, volume multiplied by it."""
    repaired = _rescale(bars, spotted)
    repaired.loc[bars.index[spotted.rows], "volume"] /= spotted.factor
    return repaired


def _label_by_open(bars: BarsFrame, spotted: Spotted) -> BarsFrame:
    """The last second of a bar becomes its first."""
    repaired = bars.copy()
    here = bars.index[spotted.rows]
    repaired.loc[here, "timestamp"] -= pd.Timedelta(spotted.shift, unit="us")
    return repaired


REPAIRS: Mapping[str, tuple[Repair, str]] = {
    "sort": (_sort, "the bars were put in order, oldest first"),
    "drop_duplicates": (_drop, "the repetitions were dropped"),
    "keep_last_duplicate": (_keep_last, "of each timestamp the last bar of the file was kept"),
    "open_from_previous_close": (
        _open_from_previous_close,
        "the open became the close before it, moved into low to high; a first bar was dropped",
    ),
    "drop_missing": (_drop, "the bars were dropped"),
    "drop_nonpositive": (_drop, "the bars were dropped"),
    "widen_range": (_widen_range, "high and low were widened to the open and the close"),
    "label_by_open": (_label_by_open, "the timestamps were moved to the bars' open"),
    "apply_split": (_apply_split, "prices were divided, and volume multiplied, by the ratio"),
    "multiply_by_100": (_rescale, "prices were multiplied by 100"),
    "divide_by_100": (_rescale, "prices were divided by 100"),
    "drop_bad_tick": (_drop, "the bars were dropped"),
    "drop_before_gap": (_drop, "the bars before the gap were dropped"),
}
"""Name to what it does, and what is said of it. No rule changes bars in any other way."""

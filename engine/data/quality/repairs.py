"""The repairs, by name. Each keeps the index of the bars it keeps, so that changes can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.types import PRICE_COLUMNS, BarsFrame
from engine.data.quality.rules.base import RuleViolation

if TYPE_CHECKING:
    from collections.abc import Mapping

RepairFunction = Callable[[BarsFrame, RuleViolation], BarsFrame]


def _sort_bars(bars: BarsFrame, _violation: RuleViolation) -> BarsFrame:
    return bars.sort_values("timestamp", kind="stable")


def _drop_bars(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    return bars.drop(index=bars.index[violation.rows])


def _keep_last_duplicate(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Of the bars that conflict, the one that stands last in the file."""
    conflicting = bars["timestamp"].isin(bars["timestamp"].iloc[violation.rows])
    return bars[~(conflicting & bars["timestamp"].duplicated(keep="last"))]


def _open_from_previous_close(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """The close before, moved into low to high; a first bar has none before it and goes."""
    repaired = bars.copy()
    rows = violation.rows[violation.rows > 0]
    here, before = bars.iloc[rows], bars["close"].to_numpy()[rows - 1]
    opens = np.clip(before, here["low"].to_numpy(), here["high"].to_numpy())
    repaired.loc[here.index, "open"] = opens
    return repaired.iloc[1:] if rows.size < violation.rows.size else repaired


def _widen_range(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """High is the highest of the four prices, low the lowest."""
    repaired = bars.copy()
    prices = bars.iloc[violation.rows][list(PRICE_COLUMNS)]
    repaired.loc[prices.index, "high"] = prices.max(axis=1)
    repaired.loc[prices.index, "low"] = prices.min(axis=1)
    return repaired


def _rescale_prices(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    repaired = bars.copy()
    columns = [name for name in (*PRICE_COLUMNS, "adj_close") if name in bars]
    repaired.loc[bars.index[violation.rows], columns] *= violation.price_factor
    return repaired


def _apply_split(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Prices divided by the ratio, volume multiplied by it."""
    repaired = _rescale_prices(bars, violation)
    repaired.loc[bars.index[violation.rows], "volume"] /= violation.price_factor
    return repaired


def _label_by_open(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """The last second of a bar becomes its first."""
    repaired = bars.copy()
    here = bars.index[violation.rows]
    repaired.loc[here, "timestamp"] -= pd.Timedelta(violation.shift_us, unit="us")
    return repaired


REPAIRS: Mapping[str, tuple[RepairFunction, str]] = {
    "sort": (_sort_bars, "the bars were put in order, oldest first"),
    "drop_duplicates": (_drop_bars, "the repetitions were dropped"),
    "keep_last_duplicate": (
        _keep_last_duplicate,
        "of each timestamp the last bar of the file was kept",
    ),
    "open_from_previous_close": (
        _open_from_previous_close,
        "the open became the close before it, moved into low to high; a first bar was dropped",
    ),
    "drop_missing": (_drop_bars, "the bars were dropped"),
    "drop_nonpositive": (_drop_bars, "the bars were dropped"),
    "widen_range": (_widen_range, "high and low were widened to the open and the close"),
    "label_by_open": (_label_by_open, "the timestamps were moved to the bars' open"),
    "apply_split": (_apply_split, "prices were divided, and volume multiplied, by the ratio"),
    "multiply_by_100": (_rescale_prices, "prices were multiplied by 100"),
    "divide_by_100": (_rescale_prices, "prices were divided by 100"),
    "drop_bad_tick": (_drop_bars, "the bars were dropped"),
    "drop_before_gap": (_drop_bars, "the bars before the gap were dropped"),
}
"""Name to what it does, and what is said of it. No rule changes bars in any other way."""

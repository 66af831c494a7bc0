"""The repairs, by name. Each preserves the index of the bars, so that changes can be reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.types import PRICE_COLUMNS, BarsFrame
from engine.data.quality.rules.base import RuleViolation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector

RepairFunction = Callable[[BarsFrame, RuleViolation], BarsFrame]


def _sort_bars(bars: BarsFrame, _violation: RuleViolation) -> BarsFrame:
    return bars.sort_values("timestamp", kind="stable")


def _drop_bars(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    return bars.drop(index=bars.index[violation.rows])


def _keep_last_duplicate(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Of conflicting bars, keeps the last one in the file."""
    conflicting = bars["timestamp"].isin(bars["timestamp"].iloc[violation.rows])
    return bars[~(conflicting & bars["timestamp"].duplicated(keep="last"))]


def _open_from_previous_close(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """The previous close, clipped to low and high; a first bar without one is dropped."""
    repaired = bars.copy()
    rows = violation.rows[violation.rows > 0]
    damaged, closes = bars.iloc[rows], bars["close"].to_numpy()[rows - 1]
    opens = np.clip(closes, damaged["low"].to_numpy(), damaged["high"].to_numpy())
    repaired.loc[damaged.index, "open"] = opens
    return repaired.iloc[1:] if rows.size < violation.rows.size else repaired


def _widen_range(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Sets high to the highest of the four prices and low to the lowest."""
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
    """Divides prices by the ratio and multiplies volume by it."""
    repaired = _rescale_prices(bars, violation)
    repaired.loc[bars.index[violation.rows], "volume"] /= violation.price_factor
    return repaired


def _change_unit(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Multiplies all prices of the symbol by the factor, and divides its volumes by it."""
    repaired = bars.copy()
    money = [name for name in (*PRICE_COLUMNS, "adj_close", "dividends") if name in bars]
    repaired[money] *= violation.price_factor
    repaired["volume"] /= violation.price_factor
    return repaired


def _label_by_open(bars: BarsFrame, violation: RuleViolation) -> BarsFrame:
    """Moves a label at a bar's last second, or within a month, to its open."""
    repaired = bars.copy()
    labels = bars.index[violation.rows]
    if violation.by_month:
        days = bars.loc[labels, "timestamp"].dt.normalize()
        repaired.loc[labels, "timestamp"] = days - pd.to_timedelta(days.dt.day - 1, unit="D")
        return repaired
    repaired.loc[labels, "timestamp"] -= pd.Timedelta(violation.shift_us, unit="us")
    return repaired


@dataclass(frozen=True)
class Repair:
    """A change of the bars that break a rule.

    Attributes:
        apply: Returns the changed bars.
        description: The change in words.
        later_bars: Bars after a bar that decide about its repair; 0 where it is known at its close
            at the latest, None for any later bar. A price in another unit of money is the same
            price.
    """

    apply: RepairFunction
    description: str
    later_bars: int | None = 0


REPAIRS: Mapping[str, Repair] = {
    "sort": Repair(_sort_bars, "the bars were sorted, oldest first"),
    "drop_duplicates": Repair(_drop_bars, "the repetitions were dropped"),
    "keep_last_duplicate": Repair(
        _keep_last_duplicate, "the last bar of the file was kept for each timestamp"
    ),
    "open_from_previous_close": Repair(
        _open_from_previous_close,
        "the open was set to the previous close, clipped to low and high; a first bar was dropped",
    ),
    "drop_missing": Repair(_drop_bars, "the bars were dropped"),
    "drop_nonpositive": Repair(_drop_bars, "the bars were dropped"),
    "widen_range": Repair(_widen_range, "high and low were widened to the open and the close"),
    "change_unit": Repair(
        _change_unit,
        "all prices of the symbol were multiplied by 1e12 (1e-12 where they are large), and its "
        "volumes divided by it",
    ),
    "label_by_open": Repair(_label_by_open, "the timestamps were moved to the bars' open"),
    # The closes of four bars after the step show whether it lasts. A split that the source lists
    # is searched for from ten bars before its day to three after it.
    "apply_split": Repair(
        _apply_split, "prices were divided, and volume multiplied, by the ratio", later_bars=13
    ),
    "multiply_by_100": Repair(_rescale_prices, "prices were multiplied by 100"),
    "divide_by_100": Repair(_rescale_prices, "prices were divided by 100"),
    # The price has to revert within two bars.
    "drop_bad_tick": Repair(_drop_bars, "the bars were dropped", later_bars=2),
    "drop_before_gap": Repair(_drop_bars, "the bars before the gap were dropped", later_bars=None),
}
"""The repairs by name. Bars are changed in no other way."""


def find_late_rows(violation: RuleViolation) -> IntVector:
    """Positions of the bars whose prices, or returns, a repair changes by what came later.

    A split or another asset changes the return of the bar after the repaired ones.
    """
    assert violation.repair is not None
    if REPAIRS[violation.repair].later_bars == 0:
        return violation.rows[:0]
    if violation.repair == "drop_bad_tick":
        return violation.rows
    is_last = np.diff(violation.rows, append=violation.rows[-1:] + 2) > 1
    return np.asarray(violation.rows[is_last] + 1)

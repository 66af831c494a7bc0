"""Runs of bars that repeat the same prices, as a stopped feed writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView

# A quiet market repeats a price for some bars. The shortest run is a week of daily bars, a day of
# shorter bars, and 120 of the shortest, because a thin market may not trade for an hour.
_MIN_RUN_FLOOR, _MIN_RUN_CAP = 5, 120


def stale(view: BarsView) -> list[RuleViolation]:
    """Bars repeat the previous prices for five days; for bars of less than a day, for one day."""
    if view.timestamps.size < _MIN_RUN_FLOOR:
        return []
    is_repeat = (np.diff(view.prices, axis=0) == 0.0).all(axis=1)
    # Different volumes show that the market traded at an unchanged price.
    is_repeat &= (np.diff(view.volume) == 0.0) | (view.volume[1:] == 0.0)
    edges = np.diff(np.r_[False, is_repeat, False].astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    min_run = min(max(_MIN_RUN_FLOOR, DAY_US // view.bar_length_us), _MIN_RUN_CAP)
    long = ends - starts + 1 >= min_run
    runs = [np.arange(start, end + 1) for start, end in zip(starts[long], ends[long], strict=True)]
    rows = np.concatenate(runs) if runs else np.array([], dtype=np.int64)
    description = f"bars are stale: runs of {min_run} or more with the same open, high, low, close"
    return [RuleViolation(rows, description)]

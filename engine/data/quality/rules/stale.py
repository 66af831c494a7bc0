"""A feed that stopped and went on writing its last bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView

# A quiet market repeats a price for some bars. Five days are a week; of shorter bars a day of
# them, of the shortest 120, because a thin market is silent for an hour.
_MIN_RUN_FLOOR, _MIN_RUN_CAP = 5, 120


def stale(view: BarsView) -> list[RuleViolation]:
    """Bars repeat the prices of the one before, five days on end; of shorter bars, a day."""
    if view.timestamps.size < _MIN_RUN_FLOOR:
        return []
    same = (np.diff(view.prices, axis=0) == 0.0).all(axis=1)
    # Traded volume that differs is a market that really stood still.
    same &= (np.diff(view.volume) == 0.0) | (view.volume[1:] == 0.0)
    edges = np.diff(np.r_[False, same, False].astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    least = min(max(_MIN_RUN_FLOOR, DAY_US // view.bar_length_us), _MIN_RUN_CAP)
    long = ends - starts + 1 >= least
    rows = [np.arange(start, end + 1) for start, end in zip(starts[long], ends[long], strict=True)]
    found = np.concatenate(rows) if rows else np.array([], dtype=np.int64)
    complaint = f"bars stand still: runs of {least} and more with the same open, high, low, close"
    return [RuleViolation(found, complaint)]

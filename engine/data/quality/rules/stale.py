"""A feed that stopped and went on writing its last bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.sample import DAY
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample

# A quiet market repeats a price for some bars. Five days are a week; of shorter bars a day of
# them, of the shortest 120, because a thin market is silent for an hour.
_DAYS, _MOST = 5, 120


def stale(sample: Sample) -> list[Spotted]:
    """Bars repeat the prices of the one before, five days on end; of shorter bars, a day."""
    if sample.stamps.size < _DAYS:
        return []
    same = (np.diff(sample.prices, axis=0) == 0.0).all(axis=1)
    # Traded volume that differs is a market that really stood still.
    same &= (np.diff(sample.volume) == 0.0) | (sample.volume[1:] == 0.0)
    edges = np.diff(np.r_[False, same, False].astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    least = min(max(_DAYS, DAY // sample.length), _MOST)
    long = ends - starts + 1 >= least
    rows = [np.arange(start, end + 1) for start, end in zip(starts[long], ends[long], strict=True)]
    found = np.concatenate(rows) if rows else np.array([], dtype=np.int64)
    complaint = f"bars stand still: runs of {least} and more with the same open, high, low, close"
    return [Spotted(found, complaint)]

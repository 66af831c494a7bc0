"""A ticker that another company had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.sample import DAY
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample

_YEAR = 365 * DAY
_OTHER_LEVEL = np.log(2.0)


def ticker_reuse(sample: Sample) -> list[Spotted]:
    """A year or more without a bar, and twice or half the price on its other side."""
    track = sample.track
    gap = np.diff(track.stamps) >= _YEAR
    level = np.abs(track.opens[1:] - track.closes[:-1]) >= _OTHER_LEVEL
    breaks = np.flatnonzero(gap & level)
    if not breaks.size:
        return []
    rows = np.sort(track.rows[: breaks[-1] + 1])
    complaint = "bars come before a year or more without any, and at another price: another asset"
    return [Spotted(rows, complaint, "drop_before_gap")]

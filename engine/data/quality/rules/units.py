"""Prices in the wrong unit: pounds among pence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample

_HUNDRED = np.log(100.0)
# Between 78 and 128: a hundred, and what a market may move from one bar to the next.
_TOLERANCE = 0.25
# Above this share of the bars the lower ones are taken to be wrong, because what happens is that
# a price in pence is given in pounds.
_FEW = 0.25


def unit_errors(sample: Sample) -> list[Spotted]:
    """From one bar to the next, all prices are a hundred times what they were, or a hundredth.

    Where few bars stand apart those are at fault; otherwise the lower ones.
    """
    track = sample.track
    steps = track.opens[1:] - track.closes[:-1]
    hundreds = np.abs(np.abs(steps) - _HUNDRED) <= _TOLERANCE
    # Within a bar no price may bridge the two levels: that would be a tick, not a unit.
    narrow = (track.highs - track.lows) < _HUNDRED / 2
    hundreds &= narrow[1:] & narrow[:-1]
    if not hundreds.any():
        return []
    levels = np.r_[0, np.cumsum(np.where(hundreds, np.sign(steps), 0.0))]
    high = levels == levels.max()
    apart = high if high.mean() <= _FEW else ~high
    rows = np.sort(track.rows[apart])
    if apart is high:
        return [Spotted(rows, "bars have prices a hundred times too high", "divide_by_100", 0.01)]
    complaint = "bars have prices a hundredth of the others"
    return [Spotted(rows, complaint, "multiply_by_100", 100.0)]

"""Prices in the wrong unit: pounds among pence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView

_LOG_100 = np.log(100.0)
# Between 78 and 128: a hundred, and what a market may move from one bar to the next.
_TOLERANCE = 0.25
# Above this share of the bars the lower ones are taken to be wrong, because what happens is that
# a price in pence is given in pounds.
_MINORITY_SHARE = 0.25


def unit_errors(view: BarsView) -> list[RuleViolation]:
    """From one bar to the next, all prices are a hundred times what they were, or a hundredth.

    Where few bars stand apart those are at fault; otherwise the lower ones.
    """
    track = view.log_prices
    steps = track.opens[1:] - track.closes[:-1]
    hundreds = np.abs(np.abs(steps) - _LOG_100) <= _TOLERANCE
    # Within a bar no price may bridge the two levels: that would be a tick, not a unit.
    narrow = (track.highs - track.lows) < _LOG_100 / 2
    hundreds &= narrow[1:] & narrow[:-1]
    if not hundreds.any():
        return []
    levels = np.r_[0, np.cumsum(np.where(hundreds, np.sign(steps), 0.0))]
    high = levels == levels.max()
    apart = high if high.mean() <= _MINORITY_SHARE else ~high
    rows = np.sort(track.rows[apart])
    if apart is high:
        return [
            RuleViolation(rows, "bars have prices a hundred times too high", "divide_by_100", 0.01)
        ]
    complaint = "bars have prices a hundredth of the others"
    return [RuleViolation(rows, complaint, "multiply_by_100", 100.0)]

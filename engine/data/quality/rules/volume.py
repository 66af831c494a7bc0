"""Impossible and implausible volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import MAX_VOLUME
from engine.data.quality.rules.base import BLOCK_SIZE, RuleViolation, block_medians

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView

# The largest volume of the clean sets is 127 times the median of its block (daily XRP; the others
# 5 to 73 times); a volume in another unit differs by a factor of 1,000 or more.
_MAX_MEDIAN_MULTIPLE = 200.0


def negative_volume(view: BarsView) -> list[RuleViolation]:
    """A volume is negative."""
    return [RuleViolation(np.flatnonzero(view.volume < 0.0), "bars have a volume below 0")]


def volume_scale(view: BarsView) -> list[RuleViolation]:
    """A volume is above 1e25, near which sums and products of volumes overflow or mean nothing."""
    rows = np.flatnonzero(np.isfinite(view.volume) & (view.volume > MAX_VOLUME))
    description = f"bars have a volume above {MAX_VOLUME:g}, more than any market could trade"
    advice = (
        "compare the file's columns with `columns` of the files source; or declare "
        "`volume: none`, which leaves all volumes out"
    )
    return [RuleViolation(rows, description, advice=advice)]


def zero_volume(view: BarsView) -> list[RuleViolation]:
    """The volume is 0, but the price moved within the bar."""
    highs, lows = view.prices[:, 1], view.prices[:, 2]
    rows = np.flatnonzero((view.volume == 0.0) & (highs > lows))
    return [RuleViolation(rows, "bars have prices that moved and a volume of 0")]


def implausible_volume(view: BarsView) -> list[RuleViolation]:
    """A volume is more than 200 times the median of its block, of the next and of the previous.

    A block has 101 bars. Comparing with the next one excludes a market whose trading increases.
    """
    traded = np.flatnonzero(view.volume > 0.0)
    volume = view.volume[traded]
    usual = block_medians(volume)
    around = np.maximum.reduce([np.r_[usual[:1], usual[:-1]], usual, np.r_[usual[1:], usual[-1:]]])
    usual_here = np.repeat(around, BLOCK_SIZE)[: volume.size]
    rows = traded[volume / _MAX_MEDIAN_MULTIPLE > usual_here]
    description = f"bars have more than {_MAX_MEDIAN_MULTIPLE:.0f} times the usual volume"
    return [RuleViolation(rows, description)]

"""Volumes that cannot be, or hardly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import BLOCK_SIZE, RuleViolation, block_medians

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView

# The wildest bar of the clean sets trades 127 times the median of its block (daily XRP; the others
# 5 to 73 times); a volume counted in another unit differs by 1,000 and more.
_MAX_MEDIAN_MULTIPLE = 200.0


def negative_volume(view: BarsView) -> list[RuleViolation]:
    """A volume is below 0."""
    return [RuleViolation(np.flatnonzero(view.volume < 0.0), "bars have a volume below 0")]


def zero_volume(view: BarsView) -> list[RuleViolation]:
    """Nothing was traded, and yet the price moved within the bar."""
    highs, lows = view.prices[:, 1], view.prices[:, 2]
    rows = np.flatnonzero((view.volume == 0.0) & (highs > lows))
    return [RuleViolation(rows, "bars have prices that moved and a volume of 0")]


def implausible_volume(view: BarsView) -> list[RuleViolation]:
    """A volume is more than 200 times the median of the hundred bars about it, and of the next.

    And of the hundred before, so that a market that wakes up is none.
    """
    traded = np.flatnonzero(view.volume > 0.0)
    volume = view.volume[traded]
    usual = block_medians(volume)
    ends = np.full(BLOCK_SIZE, usual[:1].sum()), np.full(BLOCK_SIZE, usual[-1:].sum())
    before = np.concatenate([ends[0], usual])[: usual.size]
    after = np.concatenate([usual, ends[1]])[BLOCK_SIZE:]
    rows = traded[volume > _MAX_MEDIAN_MULTIPLE * np.maximum.reduce([before, usual, after])]
    complaint = (
        f"bars have more than {_MAX_MEDIAN_MULTIPLE:.0f} times the usual volume of their time"
    )
    return [RuleViolation(rows, complaint)]

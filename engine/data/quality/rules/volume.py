"""Volumes that cannot be, or hardly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.sample import BLOCK, block_medians
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample

# The wildest bar of the clean sets trades 127 times the median of its block (daily XRP; the others
# 5 to 73 times); a volume counted in another unit differs by 1,000 and more.
_IMPLAUSIBLE = 200.0


def negative_volume(sample: Sample) -> list[Spotted]:
    """A volume is below 0."""
    return [Spotted(np.flatnonzero(sample.volume < 0.0), "bars have a volume below 0")]


def zero_volume(sample: Sample) -> list[Spotted]:
    """Nothing was traded, and yet the price moved within the bar."""
    highs, lows = sample.prices[:, 1], sample.prices[:, 2]
    rows = np.flatnonzero((sample.volume == 0.0) & (highs > lows))
    return [Spotted(rows, "bars have prices that moved and a volume of 0")]


def implausible_volume(sample: Sample) -> list[Spotted]:
    """A volume is more than 200 times the median of the hundred bars about it, and of the next.

    And of the hundred before, so that a market that wakes up is none.
    """
    traded = np.flatnonzero(sample.volume > 0.0)
    volume = sample.volume[traded]
    usual = block_medians(volume)
    ends = np.full(BLOCK, usual[:1].sum()), np.full(BLOCK, usual[-1:].sum())
    before = np.concatenate([ends[0], usual])[: usual.size]
    after = np.concatenate([usual, ends[1]])[BLOCK:]
    rows = traded[volume > _IMPLAUSIBLE * np.maximum.reduce([before, usual, after])]
    complaint = f"bars have more than {_IMPLAUSIBLE:.0f} times the usual volume of their time"
    return [Spotted(rows, complaint)]

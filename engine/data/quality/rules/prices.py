"""Prices that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import ROUNDING
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample


def nonpositive_prices(sample: Sample) -> list[Spotted]:
    """A price is 0 or less."""
    rows = np.flatnonzero((sample.prices <= 0.0).any(axis=1))
    return [Spotted(rows, "bars have a price of 0 or less", "drop_nonpositive")]


def price_range(sample: Sample) -> list[Spotted]:
    """The open or the close lies outside low to high, or low is above high.

    An open that is missing is left to its own rule, and so are bars with prices of 0.
    """
    opens, highs, lows, closes = sample.prices.T
    opens = np.where((opens > 0.0) & np.isfinite(opens), opens, closes)
    usable = (sample.prices[:, 1:] > 0.0).all(axis=1) & np.isfinite(sample.prices[:, 1:]).all(1)
    above = np.maximum(np.maximum(opens, closes), lows) > highs * (1.0 + ROUNDING)
    below = np.minimum(opens, closes) < lows * (1.0 - ROUNDING)
    complaint = "bars have an open or close outside low to high"
    return [Spotted(np.flatnonzero(usable & (above | below)), complaint, "widen_range")]

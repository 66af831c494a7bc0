"""Prices that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import ROUNDING_TOLERANCE
from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView


def nonpositive_prices(view: BarsView) -> list[RuleViolation]:
    """A price is 0 or less."""
    rows = np.flatnonzero((view.prices <= 0.0).any(axis=1))
    return [RuleViolation(rows, "bars have a price of 0 or less", "drop_nonpositive")]


def price_range(view: BarsView) -> list[RuleViolation]:
    """The open or the close lies outside low to high, or low is above high.

    An open that is missing is left to its own rule, and so are bars with prices of 0.
    """
    opens, highs, lows, closes = view.prices.T
    opens = np.where((opens > 0.0) & np.isfinite(opens), opens, closes)
    usable = (view.prices[:, 1:] > 0.0).all(axis=1) & np.isfinite(view.prices[:, 1:]).all(1)
    above = np.maximum(np.maximum(opens, closes), lows) > highs * (1.0 + ROUNDING_TOLERANCE)
    below = np.minimum(opens, closes) < lows * (1.0 - ROUNDING_TOLERANCE)
    complaint = "bars have an open or close outside low to high"
    return [RuleViolation(np.flatnonzero(usable & (above | below)), complaint, "widen_range")]

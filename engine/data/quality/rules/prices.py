"""Prices that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import ROUNDING_TOLERANCE
from engine.data.quality.rules.base import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView


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


def missing_open(view: BarsView) -> list[RuleViolation]:
    """The open is 0 or empty, and every other value of the bar is there.

    Vendors write 0 for the opens of early decades, of which only high, low and close are known.
    """
    opens = view.prices[:, 0]
    others = np.column_stack([view.prices[:, 1:], view.volume])
    whole = np.isfinite(others).all(axis=1) & (others[:, :3] > 0).all(axis=1)
    rows = np.flatnonzero(whole & (np.isnan(opens) | (opens == 0.0)))
    return [RuleViolation(rows, "bars have no open", "open_from_previous_close")]


def missing_values(view: BarsView) -> list[RuleViolation]:
    """A price or the volume is no finite number."""
    finite = np.isfinite(view.prices).all(axis=1) & np.isfinite(view.volume)
    complaint = "bars have no number where a price or volume should be"
    return [RuleViolation(np.flatnonzero(~finite), complaint, "drop_missing")]

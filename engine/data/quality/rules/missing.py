"""Numbers that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView


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

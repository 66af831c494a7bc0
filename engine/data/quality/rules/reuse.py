"""A ticker that another company had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.view import DAY_US
from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView

_YEAR_US = 365 * DAY_US
_MIN_LOG_JUMP = np.log(2.0)


def ticker_reuse(view: BarsView) -> list[RuleViolation]:
    """A year or more without a bar, and twice or half the price on its other side."""
    track = view.log_prices
    gap = np.diff(track.timestamps) >= _YEAR_US
    level = np.abs(track.opens[1:] - track.closes[:-1]) >= _MIN_LOG_JUMP
    breaks = np.flatnonzero(gap & level)
    if not breaks.size:
        return []
    rows = np.sort(track.rows[: breaks[-1] + 1])
    complaint = "bars come before a year or more without any, and at another price: another asset"
    return [RuleViolation(rows, complaint, "drop_before_gap")]

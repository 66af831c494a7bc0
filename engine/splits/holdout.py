"""Where a holdout begins: the newest bars, in whole days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UsageError
from engine.splits.walk_forward import calendar_offset

if TYPE_CHECKING:
    from datetime import date

    from engine.splits.config import Duration


def find_sealed_day(stamps: pd.DatetimeIndex, holdout: Duration) -> date:
    """The first day (UTC) that a holdout seals, with every bar of it and of later days.

    Args:
        stamps: Timestamps of all bars, ascending; their values decide nothing.
        holdout: The newest so many bars, or those of a calendar length before the last bar.

    Raises:
        UsageError: No bar would be left.
    """
    if isinstance(holdout, int):
        first = stamps[-holdout] if holdout < len(stamps) else stamps[0]
    else:
        after = stamps[-1] - calendar_offset(holdout)
        first = stamps[int(stamps.searchsorted(after, side="right"))]
    day: date = pd.Timestamp(first).tz_convert("UTC").date()
    if stamps[0].date() >= day:
        raise UsageError(
            "the holdout leaves no bar",
            expected="a holdout shorter than the history",
            found=f"{holdout}, of bars from {stamps[0]:%Y-%m-%d} to {stamps[-1]:%Y-%m-%d}",
            where="windows.holdout",
            fix="shorten it, or take a longer history",
        )
    return day


def last_open_day(sealed_from: date) -> date:
    """The last day before a holdout."""
    return sealed_from - timedelta(days=1)

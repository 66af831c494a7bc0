"""Bars that resampling leaves out, and bars that belong to two coarser ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.calendar import is_daily_or_longer
from engine.data.quality.rules.base import RuleViolation
from engine.data.quality.rules.clock import advise_day_begin, format_times_of_day
from engine.data.quality.symbols import MAX_LOST_SHARE

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.calendar import BarInterval
    from engine.data.quality_config import RuleName
    from engine.data.resampling import ResampledBars


def find_resampling_violations(
    fine: BarsFrame,
    resampled: ResampledBars,
    intervals: tuple[BarInterval, BarInterval],
    calendar: str,
) -> list[tuple[RuleName, RuleViolation]]:
    """What resampling bars leaves out or mixes, as violations of the fine bars.

    `outside_hours`: more than a tenth of them lie outside the hours of the calendar. `clock`: days
    or weeks are made of bars that begin in one and end in the next, because the bars' own days
    begin at another time.

    Args:
        fine: Bars of one symbol.
        resampled: What was made of them.
        intervals: Length of a fine bar and of a coarse one.
        calendar: Of the dataset.
    """
    base, interval = intervals
    found: list[tuple[RuleName, RuleViolation]] = []
    outside = np.flatnonzero(fine["timestamp"].isin(resampled.outside_hours))
    if outside.size > MAX_LOST_SHARE * len(fine):
        description = (
            f"bars of {base} lie outside the hours of {calendar}, and bars of {interval} would be "
            "made without them"
        )
        advice = (
            "use the calendar of the market that the bars are of; or leave them out knowingly "
            "with `quality: {outside_hours: warn}`, as trading before the open and after the close"
        )
        found.append(("outside_hours", RuleViolation(outside, description, advice=advice)))
    crossing = np.flatnonzero(fine["timestamp"].isin(resampled.crossing))
    if is_daily_or_longer(interval) and crossing.size > MAX_LOST_SHARE * len(resampled.bars):
        description = (
            f"bars of {base} begin in one bar of {interval} and end in the next: they lie at "
            f"{format_times_of_day(_to_microseconds(fine))} UTC, and a day of {calendar} begins "
            "at another time"
        )
        advice = advise_day_begin(_to_microseconds(fine), daily=is_daily_or_longer(base))
        found.append(("clock", RuleViolation(crossing, description, advice=advice)))
    return found


def _to_microseconds(bars: BarsFrame) -> np.ndarray:
    return bars["timestamp"].to_numpy(dtype="datetime64[us]").astype(np.int64)

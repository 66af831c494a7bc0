"""Timestamps against their order, the interval and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import MONTH
from engine.data.intervals import bar_ends
from engine.data.quality.rules import months
from engine.data.quality.rules.base import DAY_US, SECOND_US, RuleViolation

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.quality.rules.base import BarsView

_HOUR_US = 3_600 * SECOND_US
_MIN_MONTH_US, _MAX_MONTH_US = 28 * DAY_US, 31 * DAY_US


def interval(view: BarsView) -> list[RuleViolation]:
    """The most common step between bars is not the dataset's interval.

    Gaps, weekends and short sessions are less common than the interval itself.
    """
    if view.interval == MONTH:
        return months.interval(view)
    steps = np.diff(view.unique_timestamps)
    if not steps.size or (steps == view.bar_length_us).mean() > 0.5:
        return []
    sizes, counts = np.unique(steps, return_counts=True)
    usual = sizes[counts == counts.max()]
    if view.bar_length_us in usual:
        return []
    step = int(usual[0])
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[1:][steps == step]))
    text = "1mo" if _MIN_MONTH_US <= step <= _MAX_MONTH_US else _format_step(step)
    description = (
        f"bars are {text} after the previous one, and the dataset's interval is {view.interval}"
    )
    advice = f"set the dataset's interval to that of its bars, which seems to be {text}"
    return [RuleViolation(rows, description, advice=advice)]


def off_grid(view: BarsView) -> list[RuleViolation]:
    """A timestamp is not a whole number of intervals from the others, or labels a bar's end.

    Bars longer than an hour may shift by one hour with daylight saving, because a local midnight
    labels them. Weekly bars may start on any weekday, but all on the same.
    """
    if not view.timestamps.size:
        return []
    if view.interval == MONTH:
        return months.off_grid(view)
    phases = view.timestamps % view.bar_length_us
    usual = _most_common(phases)
    off = phases != usual
    if view.bar_length_us > _HOUR_US:
        moved = np.abs(phases - usual)
        off &= (moved != _HOUR_US) & (moved != view.bar_length_us - _HOUR_US)
    if off.mean() > 0.5:
        # These bars have another interval, which has its own rule.
        return []
    violations = [
        RuleViolation(np.flatnonzero(off), "bars have a timestamp off the grid of the others")
    ]
    unit = min(view.bar_length_us, DAY_US)
    # The last second of a minute, the last minute of an hour or a day.
    if usual % unit >= unit - max(unit // 1_440, SECOND_US):
        description = "bars are labelled by their last minute or second, not by their open"
        repair = "label_by_open" if view.bar_length_us <= DAY_US else None
        violations.append(
            RuleViolation(np.flatnonzero(~off), description, repair, shift_us=usual % unit)
        )
    return violations


def future(view: BarsView) -> list[RuleViolation]:
    """A bar ends in the future."""
    rows = np.flatnonzero(bar_ends(view.timestamps, view.interval) > view.now_us)
    advice = "check the time zone of the timestamps, and this machine's clock"
    return [RuleViolation(rows, "bars end in the future", advice=advice)]


def _most_common(values: npt.NDArray[np.int64]) -> int:
    if not values.size or (values == values[0]).all():
        return int(values[0]) if values.size else 0
    sizes, counts = np.unique(values, return_counts=True)
    return int(sizes[counts.argmax()])


def _format_step(step: int) -> str:
    seconds = pd.Timedelta(step, unit="us").total_seconds()
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds / unit:.0f}{name}"
    return f"{seconds:.0f}s"


def order(view: BarsView) -> list[RuleViolation]:
    """A bar follows a later one."""
    rows = np.flatnonzero(np.diff(view.timestamps) < 0) + 1
    return [RuleViolation(rows, "bars follow a later bar", "sort")]

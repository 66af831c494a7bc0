"""Timestamps against the interval and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.quality.sample import DAY, SECOND
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.quality.sample import Sample

_HOUR = 3_600 * SECOND


def interval(sample: Sample) -> list[Spotted]:
    """The commonest step between bars is not the dataset's interval.

    Gaps, weekends and short sessions are rarer than the interval itself.
    """
    steps = np.diff(sample.instants)
    if not steps.size or (steps == sample.length).mean() > 0.5:
        return []
    sizes, counts = np.unique(steps, return_counts=True)
    usual = sizes[counts == counts.max()]
    if sample.length in usual:
        return []
    step = int(usual[0])
    rows = np.flatnonzero(np.isin(sample.stamps, sample.instants[1:][steps == step]))
    words = _words(step)
    complaint = f"bars are {words} after the one before, and the dataset says {sample.interval}"
    advice = f"give the dataset the interval its bars have, which seems to be {words}"
    return [Spotted(rows, complaint, advice=advice)]


def off_grid(sample: Sample) -> list[Spotted]:
    """A timestamp is not a whole number of intervals from the others, or is a bar's end.

    Bars longer than an hour may move by one hour with daylight saving, labelled by a local
    midnight as they are. Bars of `1w` may begin on any day of the week, all on the same.
    """
    if not sample.stamps.size:
        return []
    phases = sample.stamps % sample.length
    usual = _commonest(phases)
    off = phases != usual
    if sample.length > _HOUR:
        moved = np.abs(phases - usual)
        off &= (moved != _HOUR) & (moved != sample.length - _HOUR)
    if off.mean() > 0.5:
        # These bars have another interval, which its own rule tells.
        return []
    found = [Spotted(np.flatnonzero(off), "bars have a timestamp off the grid of the others")]
    unit = min(sample.length, DAY)
    # The last second of a minute, the last minute of an hour or a day.
    if usual % unit >= unit - max(unit // 1_440, SECOND):
        complaint = "bars are labelled by their last minute or second, not by their open"
        repair = "label_by_open" if sample.length <= DAY else None
        found.append(Spotted(np.flatnonzero(~off), complaint, repair, shift=usual % unit))
    return found


def future(sample: Sample) -> list[Spotted]:
    """A bar is not over yet."""
    rows = np.flatnonzero(sample.stamps + sample.length > sample.now)
    advice = "check the time zone of the timestamps, and this machine's clock"
    return [Spotted(rows, "bars are not over yet", advice=advice)]


def _commonest(values: npt.NDArray[np.int64]) -> int:
    if not values.size or (values == values[0]).all():
        return int(values[0]) if values.size else 0
    sizes, counts = np.unique(values, return_counts=True)
    return int(sizes[counts.argmax()])


def _words(step: int) -> str:
    seconds = pd.Timedelta(step, unit="us").total_seconds()
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds / unit:.0f}{name}"
    return f"{seconds:.0f}s"

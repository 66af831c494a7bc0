"""Finds the interval and the order of bars in their timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.data.calendar import BarInterval, interval_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector

_MIN_BARS = 3
_MOST = 0.9
_LAST_DAYS_FROM = 26
_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US


@dataclass(frozen=True)
class BarClock:
    """The interval of bars.

    Attributes:
        interval: Of the engine.
        share: Share of the steps between bars that have exactly this length.
    """

    interval: BarInterval
    share: float


def find_interval(stamps: pd.Series, where: str) -> BarClock:
    """The interval of bars: the usual step between them.

    Args:
        stamps: In any order.
        where: The file, for messages.

    Raises:
        InvalidBarsError: Fewer than three bars, or an interval that the engine does not have.
    """
    ordered = np.unique(to_microseconds(stamps))
    if len(ordered) < _MIN_BARS:
        raise InvalidBarsError(
            "the interval cannot be found in so few bars",
            expected=f"at least {_MIN_BARS} bars with different timestamps",
            found=f"{len(ordered)}",
            where=where,
            fix="give a longer file",
        )
    lengths, counts = np.unique(np.diff(ordered), return_counts=True)
    step = int(lengths[counts.argmax()])
    steps = np.diff(ordered)
    clock = _find_long_interval(steps) if np.median(steps) > 0.8 * _DAY_US else None
    clock = clock or _find_short_interval(steps, step)
    if clock is None:
        known = ", ".join(get_args(BarInterval))
        raise InvalidBarsError(
            f"bars of {_describe(step)} are not an interval of the engine",
            expected=known,
            found=f"a usual step of {_describe(step)}",
            where=where,
            fix="download bars of one of these intervals, or resample the file to one of them",
        )
    return clock


def _find_long_interval(steps: IntVector) -> BarClock | None:
    """Days, weeks or months; a step may be an hour longer or shorter where clocks change."""
    days = np.round(steps / _DAY_US).astype(np.int64)
    month = (days >= 28) & (days <= 31)
    if month.mean() > 0.8:
        return BarClock("1mo", float(month.mean()))
    usual = int(np.bincount(days).argmax())
    if usual == 7 and (days % 7 == 0).mean() > 0.8:
        return BarClock("1w", float((days == 7).mean()))
    if usual == 1:
        return BarClock("1d", float((days == 1).mean()))
    return None


def _find_short_interval(steps: IntVector, usual: int) -> BarClock | None:
    """The interval of the usual step.

    Where bars without a trade are absent, one interval is still the most frequent step.
    """
    for interval in get_args(BarInterval):
        if interval_length(interval) // pd.Timedelta(microseconds=1) == usual < _DAY_US:
            return BarClock(interval, float((steps == usual).mean()))
    return None


def is_labelled_by_close(stamps: pd.Series, interval: BarInterval) -> bool:
    """Whether weeks or months are labelled by their last days; shorter bars do not show it."""
    if interval == "1w":
        return bool(stamps.dt.day_of_week.isin([4, 5]).mean() > _MOST)
    return interval_length(interval) > pd.Timedelta(weeks=1) and bool(
        (stamps.dt.day >= _LAST_DAYS_FROM).mean() > _MOST
    )


def begins_with_newest(stamps: pd.Series) -> bool:
    """Whether the rows of a file run from the newest bar to the oldest."""
    steps = np.diff(to_microseconds(stamps))
    return bool(steps.size) and bool((steps < 0).mean() > _MOST)


def to_microseconds(stamps: pd.Series) -> IntVector:
    """UTC timestamps as microseconds since 1970."""
    naive = stamps.dt.tz_localize(None).to_numpy()
    return np.asarray(naive.astype("datetime64[us]").astype(np.int64))


def _describe(step: int) -> str:
    seconds = step // _SECOND_US
    units: Sequence[tuple[int, str]] = ((86_400, "days"), (3600, "hours"), (60, "minutes"))
    for length, unit in units:
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"

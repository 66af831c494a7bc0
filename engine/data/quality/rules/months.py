"""The rules about timestamps for bars of calendar months, whose lengths differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.calendar import INTERVAL_LENGTHS, MONTH
from engine.data.intervals import interval_numbers, interval_starts
from engine.data.quality.rules.base import DAY_US, SECOND_US, RuleViolation

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.quality.rules.base import BarsView

# Vendors label a month by its first or last day of trading, which holidays move by some days.
_FIRST_DAYS_US = 7 * DAY_US


def interval(view: BarsView) -> list[RuleViolation]:
    """Bars are not mostly one month apart."""
    steps = np.diff(interval_numbers(view.unique_timestamps, MONTH))
    if not steps.size or (steps == 1).mean() > 0.5:
        return []
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[counts.argmax()])
    if usual == 1:
        return []
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[1:][steps == usual]))
    if usual:
        text = f"{usual} months after the previous one"
        advice = "months are the longest interval of a dataset; use monthly bars"
    else:
        text = "in the same month as the previous one"
        lengths = np.diff(view.unique_timestamps)
        known = [
            name
            for name, length in INTERVAL_LENGTHS.items()
            if (lengths == length.value // 1_000).mean() > 0.5
        ]
        advice = "set the dataset's interval to that of its bars" + (
            f", which seems to be {known[0]}" if known else ""
        )
    description = f"bars are {text}, and the dataset's interval is {MONTH}"
    return [RuleViolation(rows, description, advice=advice)]


def off_grid(view: BarsView) -> list[RuleViolation]:
    """A label is not the first day of a month.

    Dates near the beginning or the end of months, one a month, are moved by a repair. Other labels
    may belong to either month: a local midnight of the first may lie in the month before in UTC.
    """
    stamps = view.timestamps
    rows = np.flatnonzero(stamps != interval_starts(interval_numbers(stamps, MONTH), MONTH))
    if not rows.size:
        return []
    description = "bars are not labelled by the first day of their month"
    if _has_one_label_a_month(stamps) and _lie_at_an_edge(stamps):
        return [RuleViolation(rows, description, "label_by_open", by_month=True)]
    advice = (
        "label each month by its first day; add `timezone` to the source where the labels are "
        "first days in another zone"
    )
    return [RuleViolation(rows, description, advice=advice)]


def _has_one_label_a_month(stamps: npt.NDArray[np.int64]) -> bool:
    return np.unique(interval_numbers(stamps, MONTH)).size == stamps.size


def _lie_at_an_edge(stamps: npt.NDArray[np.int64]) -> bool:
    """Whether all labels are dates, or a day's last second, near one end of their months."""
    within_day = stamps % DAY_US
    if ((within_day > 0) & (within_day < DAY_US - 60 * SECOND_US)).any():
        return False
    number = interval_numbers(stamps, MONTH)
    since = stamps - interval_starts(number, MONTH)
    until = interval_starts(number + 1, MONTH) - stamps
    return bool((since < _FIRST_DAYS_US).all() or (until <= _FIRST_DAYS_US).all())


def gaps(view: BarsView) -> list[RuleViolation]:
    """Months are missing between the first and the last."""
    numbers = interval_numbers(view.unique_timestamps, MONTH)
    after = np.flatnonzero(np.diff(numbers) > 1)
    if not after.size:
        return []
    first, last = interval_starts(
        np.array([numbers[after[0]] + 1, numbers[after[-1] + 1] - 1]), MONTH
    )
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[after + 1]))
    count = int((np.diff(numbers)[after] - 1).sum())
    return [RuleViolation(rows, "bars are missing", missing_span=(int(first), int(last), count))]

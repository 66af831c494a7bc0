"""Several bars with the same timestamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data.quality.rules.base import BarsView

MAX_REPEATED_SHARE = 0.05
"""Above this share of bars with the timestamp of an earlier one, a file is not one series: it has
rows of several symbols, or the time of day in another column."""

_MANY_BARS = 4

REPEATED_ADVICE = (
    "rows of several symbols in one file: select one with `where: {COLUMN: SYMBOL}` of the files "
    "source; a time of day in another column: join them with `columns: {timestamp: [Date, Time]}`"
)

_EPOCH_WEEKDAY = 4  # 1970-01-01, counted from Sunday as 0


def duplicates(view: BarsView) -> list[RuleViolation]:
    """A bar repeats another of the same timestamp, value for value."""
    again, before = _find_repeats(view)
    rows = again[_have_equal_values(view, again, before)]
    return [RuleViolation(rows, "bars repeat another bar", "drop_duplicates")]


def conflicting_duplicates(view: BarsView) -> list[RuleViolation]:
    """A bar has the timestamp of another and other values; days of clock changes are excluded.

    The later of the two in the file is usually the corrected or the finished one: the repair keeps
    it. Where more than a twentieth of the bars repeat a timestamp, or four bars have one, none is
    a correction of another, and there is no repair.
    """
    again, before = _find_repeats(view)
    conflict = ~_have_equal_values(view, again, before) & ~_is_clock_change_day(
        view.timestamps[again]
    )
    description = "bars have the timestamp of another and other values"
    if conflict.any() and _is_no_series(view, again):
        advice = f"the file is not one series of bars: {REPEATED_ADVICE}"
        return [RuleViolation(again[conflict], description, advice=advice)]
    return [RuleViolation(again[conflict], description, "keep_last_duplicate")]


def _is_no_series(view: BarsView, again: IntVector) -> bool:
    """Whether so many bars repeat a timestamp that they cannot be corrections."""
    different = again[~_have_equal_values(view, *_find_repeats(view))]
    most = np.unique(view.timestamps[different], return_counts=True)[1].max(initial=0) + 1
    share = different.size / max(view.timestamps.size, 1)
    return bool(different.size > 1 and (share > MAX_REPEATED_SHARE or most >= _MANY_BARS))


def daylight_saving(view: BarsView) -> list[RuleViolation]:
    """A timestamp occurs twice, with different values, on a day of a clock change.

    Clocks change on the last Sunday of March and October (Europe), the second Sunday of March and
    the first of November (United States). Both bars are real: one of them has the wrong label.
    """
    again, before = _find_repeats(view)
    conflict = ~_have_equal_values(view, again, before) & _is_clock_change_day(
        view.timestamps[again]
    )
    advice = "the timestamps are local time: declare their time zone, or use another source"
    if view.bar_length_us >= DAY_US:
        advice = "the dates are moved by a change of clocks: correct them, or use another source"
    description = "bars repeat the timestamp of another on a day on which clocks change"
    return [RuleViolation(again[conflict], description, advice=advice)]


def _find_repeats(view: BarsView) -> tuple[IntVector, IntVector]:
    """Positions of bars that repeat a timestamp, and of the first bar with it."""
    if view.unique_timestamps.size == view.timestamps.size:
        empty = np.array([], dtype=np.int64)
        return empty, empty
    ordered = np.argsort(view.timestamps, kind="stable")
    stamps = view.timestamps[ordered]
    is_first = np.r_[True, np.diff(stamps) > 0]
    first = ordered[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]]
    again, before = ordered[~is_first], first[~is_first]
    by_position = np.argsort(again)
    return again[by_position], before[by_position]


def _have_equal_values(
    view: BarsView, rows: IntVector, other_rows: IntVector
) -> npt.NDArray[np.bool_]:
    mine, theirs = (
        np.column_stack([view.prices[these], view.volume[these]]) for these in (rows, other_rows)
    )
    return np.asarray(((mine == theirs) | (np.isnan(mine) & np.isnan(theirs))).all(axis=1))


def _is_clock_change_day(timestamps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    days = timestamps // DAY_US
    sunday = (days + _EPOCH_WEEKDAY) % 7 == 0
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    europe = np.isin(month, (3, 10)) & (day > 24)
    states = ((month == 3) & (day > 7) & (day < 15)) | ((month == 11) & (day < 8))
    return np.asarray(sunday & (europe | states))

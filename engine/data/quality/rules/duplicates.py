"""Timestamps that more than one bar has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data.quality.rules.base import BarsView

_EPOCH_WEEKDAY = 4  # 1970-01-01, counted from Sunday as 0


def duplicates(view: BarsView) -> list[RuleViolation]:
    """A bar repeats another of the same timestamp, value for value."""
    again, before = _find_repeats(view)
    rows = again[_have_equal_values(view, again, before)]
    return [RuleViolation(rows, "bars repeat another bar", "drop_duplicates")]


def conflicting_duplicates(view: BarsView) -> list[RuleViolation]:
    """A bar has the timestamp of another and other values; not on a day of a clock change.

    Of two, the later in the file is mostly the corrected or the finished one: that is what the
    repair keeps.
    """
    again, before = _find_repeats(view)
    conflict = ~_have_equal_values(view, again, before) & ~_is_clock_change_day(
        view.timestamps[again]
    )
    complaint = "bars have the timestamp of another and other values"
    return [RuleViolation(again[conflict], complaint, "keep_last_duplicate")]


def daylight_saving(view: BarsView) -> list[RuleViolation]:
    """A timestamp stands twice, with other values, on a day on which clocks change.

    That is on the last Sunday of March and October (Europe), the second of March and the first
    of November (United States). Neither bar is too many: one of them has the wrong label.
    """
    again, before = _find_repeats(view)
    conflict = ~_have_equal_values(view, again, before) & _is_clock_change_day(
        view.timestamps[again]
    )
    return [
        RuleViolation(
            again[conflict],
            "bars repeat the timestamp of another on a day on which clocks change",
            advice="the timestamps are local time: declare their time zone, or use another source",
        )
    ]


def _find_repeats(view: BarsView) -> tuple[IntVector, IntVector]:
    """Positions of bars whose timestamp came before, and of the first with it."""
    if view.unique_timestamps.size == view.timestamps.size:
        nothing = np.array([], dtype=np.int64)
        return nothing, nothing
    ordered = np.argsort(view.timestamps, kind="stable")
    stamps = view.timestamps[ordered]
    leads = np.r_[True, np.diff(stamps) > 0]
    first = ordered[np.flatnonzero(leads)[np.cumsum(leads) - 1]]
    again, before = ordered[~leads], first[~leads]
    place = np.argsort(again)
    return again[place], before[place]


def _have_equal_values(
    view: BarsView, rows: IntVector, other_rows: IntVector
) -> npt.NDArray[np.bool_]:
    values = np.column_stack([view.prices, view.volume])
    mine, theirs = values[rows], values[other_rows]
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

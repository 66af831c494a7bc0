"""Timestamps that more than one bar has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.sample import DAY
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.quality.sample import Sample
    from engine.types import Rows

_THURSDAY = 4  # 1970-01-01, counted from Sunday as 0


def duplicates(sample: Sample) -> list[Spotted]:
    """A bar repeats another of the same timestamp, value for value."""
    again, before = _repeated(sample)
    rows = again[_same(sample, again, before)]
    return [Spotted(rows, "bars repeat another bar", "drop_duplicates")]


def conflicting_duplicates(sample: Sample) -> list[Spotted]:
    """A bar has the timestamp of another and other values; not on a day of a clock change.

    Of two, the later in the file is mostly the corrected or the finished one: that is what the
    repair keeps.
    """
    again, before = _repeated(sample)
    conflict = ~_same(sample, again, before) & ~_clocks_change(sample.stamps[again])
    complaint = "bars have the timestamp of another and other values"
    return [Spotted(again[conflict], complaint, "keep_last_duplicate")]


def daylight_saving(sample: Sample) -> list[Spotted]:
    """A timestamp stands twice, with other values, on a day on which clocks change.

    That is on the last Sunday of March and October (Europe), the second of March and the first
    of November (United States). Neither bar is too many: one of them has the wrong label.
    """
    again, before = _repeated(sample)
    conflict = ~_same(sample, again, before) & _clocks_change(sample.stamps[again])
    return [
        Spotted(
            again[conflict],
            "bars repeat the timestamp of another on a day on which clocks change",
            advice="the timestamps are local time: declare their time zone, or use another source",
        )
    ]


def _repeated(sample: Sample) -> tuple[Rows, Rows]:
    """Positions of bars whose timestamp came before, and of the first with it."""
    if sample.instants.size == sample.stamps.size:
        nothing = np.array([], dtype=np.int64)
        return nothing, nothing
    ordered = np.argsort(sample.stamps, kind="stable")
    stamps = sample.stamps[ordered]
    leads = np.r_[True, np.diff(stamps) > 0]
    first = ordered[np.flatnonzero(leads)[np.cumsum(leads) - 1]]
    again, before = ordered[~leads], first[~leads]
    place = np.argsort(again)
    return again[place], before[place]


def _same(sample: Sample, one: Rows, other: Rows) -> npt.NDArray[np.bool_]:
    values = np.column_stack([sample.prices, sample.volume])
    mine, theirs = values[one], values[other]
    return np.asarray(((mine == theirs) | (np.isnan(mine) & np.isnan(theirs))).all(axis=1))


def _clocks_change(stamps: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    days = stamps // DAY
    sunday = (days + _THURSDAY) % 7 == 0
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    europe = np.isin(month, (3, 10)) & (day > 24)
    states = ((month == 3) & (day > 7) & (day < 15)) | ((month == 11) & (day < 8))
    return np.asarray(sunday & (europe | states))

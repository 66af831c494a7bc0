"""Timestamps against their order, the interval and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from engine.data.bar_times import TradingTimes
from engine.data.calendar import INTERVAL_LENGTHS, MONTH, BarInterval
from engine.data.quality.rules import months
from engine.data.quality.rules.base import DAY_US, SECOND_US, RuleViolation
from engine.data.quality.rules.duplicates import MAX_REPEATED_SHARE, REPEATED_ADVICE

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.quality.rules.base import BarsView

_HOUR_US = 3_600 * SECOND_US
_MIN_MONTH_US, _MAX_MONTH_US = 28 * DAY_US, 31 * DAY_US


def interval(view: BarsView) -> list[RuleViolation]:
    """The most common step between bars is not the dataset's interval.

    Gaps, weekends and short sessions are less common than the interval itself. A step over the
    open of a session, or over the end of its break, says nothing about the interval.
    """
    if view.interval == MONTH:
        return months.interval(view)
    steps = np.diff(view.unique_timestamps)
    within = _steps_within_spans(view)
    if within.any():
        steps = steps[within]
    elif view.bar_length_us < DAY_US and _has_one_bar_a_span(view):
        return []
    if not steps.size or (steps == view.bar_length_us).mean() > 0.5:
        return []
    sizes, counts = np.unique(steps, return_counts=True)
    usual = sizes[counts == counts.max()]
    if view.bar_length_us in usual:
        return []
    step = int(usual[0])
    at_step = np.diff(view.unique_timestamps, prepend=view.unique_timestamps[0]) == step
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[at_step]))
    text = "1mo" if _MIN_MONTH_US <= step <= _MAX_MONTH_US else _format_step(step)
    description = (
        f"bars are {text} after the previous one, and the dataset's interval is {view.interval}"
    )
    return [RuleViolation(rows, description, advice=_advise_interval(view, step))]


def _steps_within_spans(view: BarsView) -> npt.NDArray[np.bool_]:
    """Of each step, whether its bars trade in, or next before, one span of trading, (n - 1,)."""
    stamps = view.unique_timestamps
    if view.bar_length_us >= DAY_US or stamps.size < 2:
        return np.ones(max(stamps.size - 1, 0), dtype=bool)
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return np.ones(stamps.size - 1, dtype=bool)
    span = sessions.locate_spans(stamps, view.bar_length_us)[1]
    return np.asarray(np.diff(span) == 0)


def _has_one_bar_a_span(view: BarsView) -> bool:
    """Whether a bar is as long as the usual span of trading, so that each span has one."""
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return False
    return view.bar_length_us >= float(np.median(sessions.span_ends - sessions.span_begins))


def _advise_interval(view: BarsView, step: int) -> str:
    """What mends another interval; no interval is named that a dataset cannot have."""
    if view.repeated_share > MAX_REPEATED_SHARE:
        return REPEATED_ADVICE
    known = [name for name, length in INTERVAL_LENGTHS.items() if length.value // 1_000 == step]
    if known and step < view.bar_length_us:
        return (
            f"set the dataset's interval to {known[0]}, or add `interval: {known[0]}` to its "
            f"source to resample these bars to {view.interval}"
        )
    if known:
        return f"set the dataset's interval to that of its bars, which seems to be {known[0]}"
    if _MIN_MONTH_US <= step <= _MAX_MONTH_US:
        return "set the dataset's interval to that of its bars, which seems to be 1mo"
    return (
        f"the bars seem to be of {_format_step(step)}, which is no interval of a dataset; use "
        f"bars of {', '.join(get_args(BarInterval))}"
    )


def off_grid(view: BarsView) -> list[RuleViolation]:
    """A timestamp is not a whole number of intervals from the others, or labels a bar's end.

    Bars longer than an hour may shift by one hour with daylight saving, because a local midnight
    labels them. Weekly bars may start on any weekday, but all on the same. On an exchange's
    calendar a bar may also be counted from the open of its session, or from the end of the break.
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
    if off.any() and view.bar_length_us < DAY_US:
        off &= ~_counted_from_span(view)
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


def _counted_from_span(view: BarsView) -> npt.NDArray[np.bool_]:
    """Of each bar, whether it is a whole number of intervals after a span of trading begins."""
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return np.zeros(view.timestamps.size, dtype=bool)
    inside, span = sessions.locate_spans(view.timestamps, view.bar_length_us)
    since = view.timestamps - sessions.span_begins[span]
    return np.asarray(inside & (since >= 0) & (since % view.bar_length_us == 0))


def future(view: BarsView) -> list[RuleViolation]:
    """A bar closes in the future."""
    times = TradingTimes(view.interval, view.calendar, view.day_begins)
    rows = np.flatnonzero(times.closes(view.timestamps) > view.now_us)
    advice = "check the time zone of the timestamps, and this machine's clock"
    return [RuleViolation(rows, "bars end in the future", advice=advice)]


# Before it a timestamp is the zero of a spreadsheet's dates, a year of two digits or a wrong unit.
_FIRST_YEAR = "1900-01-01"


def early(view: BarsView) -> list[RuleViolation]:
    """A bar is from before 1900, of which hardly any market has bars."""
    first = int(np.datetime64(_FIRST_YEAR, "us").astype(np.int64))
    rows = np.flatnonzero(view.timestamps < first)
    advice = (
        "check the form of the dates and the unit of timestamps written as numbers; use "
        "`quality: {early: warn}` where the bars are truly that old"
    )
    return [RuleViolation(rows, "bars are from before 1900", advice=advice)]


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
    """A bar follows a later one.

    Bars of which many repeat a timestamp are not sorted: they are not one series.
    """
    rows = np.flatnonzero(np.diff(view.timestamps) < 0) + 1
    repair = "sort" if view.repeated_share <= MAX_REPEATED_SHARE else None
    return [RuleViolation(rows, "bars follow a later bar", repair)]

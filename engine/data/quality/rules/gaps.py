"""Bars against the calendar: missing bars, bars on closed days, and reused tickers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.calendar import ALWAYS_OPEN, MONTH
from engine.data.quality.rules import months
from engine.data.quality.rules.base import DAY_US, RuleViolation
from engine.data.sessions import LONG_SESSION_US, MIN_HALT_SHARE

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data.quality.rules.base import BarsView, TimestampsUs
    from engine.data.sessions import Sessions


def gaps(view: BarsView) -> list[RuleViolation]:
    """Bars are missing between the first and the last.

    On `24/7`, and for weekly bars everywhere, one bar is expected every interval. An exchange has
    one daily bar per session; of shorter bars, one is expected every interval of trading between
    the first and the last bar of a session. Breaks are no gaps, nor are the daily halts of
    sessions of twenty hours or more.
    """
    if view.unique_timestamps.size < 2:
        return []
    if view.calendar == ALWAYS_OPEN or view.bar_length_us > DAY_US:
        return _find_missing_bars(view, view.unique_timestamps)
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return []
    located = sessions.locate_bars(view.unique_timestamps, view.bar_length_us)
    missing = _find_missing_sessions(view, sessions, located)
    if view.bar_length_us == DAY_US:
        return missing
    counts = _missing_within_sessions(view, sessions, located)
    return [*_gap_violations(view, view.unique_timestamps, counts), *missing]


def closed_days(view: BarsView) -> list[RuleViolation]:
    """A bar lies on a day on which the exchange was closed."""
    if (
        view.calendar == ALWAYS_OPEN
        or view.bar_length_us > DAY_US
        or not view.unique_timestamps.size
    ):
        return []
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[on_closed_days(view)]))
    return [RuleViolation(rows, "bars lie on days on which the exchange was closed")]


def on_closed_days(view: BarsView) -> npt.NDArray[np.bool_]:
    """Of each distinct timestamp, whether it belongs to no session, (n,).

    Of the time before the first known session, and after the last, nothing is known.
    """
    sessions = view.sessions
    if sessions is None or not sessions.days.size:
        return np.zeros(view.unique_timestamps.size, dtype=bool)
    closed = sessions.locate_bars(view.unique_timestamps, view.bar_length_us) < 0
    days = sessions.local_days(view.unique_timestamps[closed])
    closed[closed] = (days > sessions.days[0]) & (days < sessions.days[-1])
    return closed


def _missing_within_sessions(
    view: BarsView, sessions: Sessions, located: IntVector
) -> TimestampsUs:
    """The bars of trading missing after each timestamp but the last, within one session."""
    stamps, length = view.unique_timestamps, view.bar_length_us
    ends = sessions.trading_time(np.minimum(stamps[:-1] + length, stamps[1:]))
    # The last bar before a break or a close may be shorter.
    counts = (sessions.trading_time(stamps[1:]) - ends + length // 2) // length
    own = located[:-1]
    counts[(own != located[1:]) | (own < 0)] = 0
    is_long = (sessions.closes - sessions.opens)[own] >= LONG_SESSION_US
    after = np.flatnonzero((counts > 0) & is_long)
    if not after.size:
        return counts
    since_open = (stamps[after] - sessions.opens[own[after]]) // length
    times, number = np.unique(since_open, return_counts=True)
    halts = times[number >= MIN_HALT_SHARE * np.unique(own[own >= 0]).size]
    counts[after[np.isin(since_open, halts)]] = 0
    return counts


def _find_missing_bars(view: BarsView, timestamps: TimestampsUs) -> list[RuleViolation]:
    if view.interval == MONTH:
        return months.gaps(view)
    return _gap_violations(view, timestamps, np.diff(timestamps) // view.bar_length_us - 1)


def _gap_violations(
    view: BarsView, timestamps: TimestampsUs, missing_counts: TimestampsUs
) -> list[RuleViolation]:
    """The violation for the number of bars missing after each timestamp but the last."""
    after = np.flatnonzero(missing_counts > 0)
    if not after.size:
        return []
    first = int(timestamps[after[0]]) + view.bar_length_us
    last = int(timestamps[after[-1] + 1]) - view.bar_length_us
    rows = np.flatnonzero(np.isin(view.timestamps, timestamps[after + 1]))
    span = (first, max(first, last), int(missing_counts[after].sum()))
    return [RuleViolation(rows, "bars are missing", missing_span=span)]


def _find_missing_sessions(
    view: BarsView, sessions: Sessions, located: IntVector
) -> list[RuleViolation]:
    present = np.unique(located[located >= 0])
    if not present.size:
        return []
    missing = np.setdiff1d(np.arange(present[0], present[-1] + 1), present)
    if not missing.size:
        return []
    first_rows = np.unique(located, return_index=True)
    following = present[np.searchsorted(present, missing)]
    after = first_rows[1][np.searchsorted(first_rows[0], following)]
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[after]))
    days = sessions.days[missing]
    span = (int(days[0]), int(days[-1]), int(missing.size))
    return [RuleViolation(rows, "sessions are missing", missing_span=span)]


_YEAR_US = 365 * DAY_US
_MIN_LOG_JUMP = np.log(2.0)


def ticker_reuse(view: BarsView) -> list[RuleViolation]:
    """Another asset had the ticker: a year or more without bars, then twice or half the price."""
    prices = view.log_prices
    is_gap = np.diff(prices.timestamps) >= _YEAR_US
    after = np.flatnonzero(is_gap)
    if not after.size:
        return []
    breaks = after[np.abs(prices.overnight_steps[after]) >= _MIN_LOG_JUMP]
    if not breaks.size:
        return []
    rows = np.sort(prices.rows[: breaks[-1] + 1])
    description = "bars come before a gap of a year or more, at another price: another asset"
    return [RuleViolation(rows, description, "drop_before_gap")]

"""Bars that the calendar expects and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, exchange_timezone, session_days
from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView, TimestampsUs


def gaps(view: BarsView) -> list[RuleViolation]:
    """Bars are missing between the first and the last.

    On `24/7`, and for weeks everywhere, one is expected every interval; of an exchange, a day's
    bar each session, and of shorter bars one every interval between a session's first and last.
    """
    if view.unique_timestamps.size < 2:
        return []
    if view.calendar == ALWAYS_OPEN or view.bar_length_us > DAY_US:
        return _find_missing_bars(view, view.unique_timestamps)
    dates = _session_dates(view)
    if view.bar_length_us == DAY_US:
        return _find_missing_sessions(view, dates)
    holes = np.diff(view.unique_timestamps) // view.bar_length_us - 1
    holes[np.diff(dates) != 0] = 0
    within = _gap_violations(view, view.unique_timestamps, holes)
    return [*within, *_find_missing_sessions(view, dates)]


def closed_days(view: BarsView) -> list[RuleViolation]:
    """A bar lies on a day on which the exchange was closed."""
    if (
        view.calendar == ALWAYS_OPEN
        or view.bar_length_us > DAY_US
        or not view.unique_timestamps.size
    ):
        return []
    dates = _session_dates(view)
    known = session_days(view.calendar, int(dates[0]), int(dates[-1]))
    # Nothing is known of the time before the first of them.
    odd = view.unique_timestamps[
        ~np.isin(dates, known) & (dates > (known[0] if known.size else dates))
    ]
    rows = np.flatnonzero(np.isin(view.timestamps, odd))
    return [RuleViolation(rows, "bars lie on days on which the exchange was closed")]


def _find_missing_bars(view: BarsView, timestamps: TimestampsUs) -> list[RuleViolation]:
    return _gap_violations(view, timestamps, np.diff(timestamps) // view.bar_length_us - 1)


def _gap_violations(
    view: BarsView, timestamps: TimestampsUs, missing_counts: TimestampsUs
) -> list[RuleViolation]:
    """Holes after each instant but the last, in bars."""
    after = np.flatnonzero(missing_counts > 0)
    if not after.size:
        return []
    first = int(timestamps[after[0]]) + view.bar_length_us
    last = int(timestamps[after[-1] + 1]) - view.bar_length_us
    rows = np.flatnonzero(np.isin(view.timestamps, timestamps[after + 1]))
    absent = (first, max(first, last), int(missing_counts[after].sum()))
    return [RuleViolation(rows, "bars are missing", missing_span=absent)]


def _find_missing_sessions(view: BarsView, dates: TimestampsUs) -> list[RuleViolation]:
    known = session_days(view.calendar, int(dates[0]), int(dates[-1]))
    absent = known[~np.isin(known, dates)]
    if not absent.size:
        return []
    after = np.searchsorted(dates, absent, side="right")
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[after]))
    span = (int(absent[0]) * DAY_US, int(absent[-1]) * DAY_US, int(absent.size))
    return [RuleViolation(rows, "sessions are missing", missing_span=span)]


def _session_dates(view: BarsView) -> TimestampsUs:
    """The session's date of each instant, in days since 1970.

    A timestamp at midnight UTC is a date already; another is a moment at the exchange.
    """
    if not (view.unique_timestamps % DAY_US).any():
        return view.unique_timestamps // DAY_US
    moments = pd.to_datetime(view.unique_timestamps, unit="us", utc=True)
    local = moments.tz_convert(exchange_timezone(view.calendar)).tz_localize(None)
    return local.to_numpy(dtype="datetime64[D]").astype(np.int64)


_YEAR_US = 365 * DAY_US
_MIN_LOG_JUMP = np.log(2.0)


def ticker_reuse(view: BarsView) -> list[RuleViolation]:
    """A year or more without a bar, and twice or half the price on its other side."""
    track = view.log_prices
    gap = np.diff(track.timestamps) >= _YEAR_US
    level = np.abs(track.opens[1:] - track.closes[:-1]) >= _MIN_LOG_JUMP
    breaks = np.flatnonzero(gap & level)
    if not breaks.size:
        return []
    rows = np.sort(track.rows[: breaks[-1] + 1])
    complaint = "bars come before a year or more without any, and at another price: another asset"
    return [RuleViolation(rows, complaint, "drop_before_gap")]

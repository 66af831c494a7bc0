"""Bars against the calendar: missing bars, bars on closed days, and reused tickers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, MONTH, exchange_timezone, session_days
from engine.data.quality.rules import months
from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView, TimestampsUs


def gaps(view: BarsView) -> list[RuleViolation]:
    """Bars are missing between the first and the last.

    On `24/7`, and for weekly bars everywhere, one bar is expected every interval. An exchange has
    one daily bar per session; of shorter bars, one is expected every interval between the first
    and the last bar of a session.
    """
    if view.unique_timestamps.size < 2:
        return []
    if view.calendar == ALWAYS_OPEN or view.bar_length_us > DAY_US:
        return _find_missing_bars(view, view.unique_timestamps)
    dates = _session_dates(view)
    if view.bar_length_us == DAY_US:
        return _find_missing_sessions(view, dates)
    missing_counts = np.diff(view.unique_timestamps) // view.bar_length_us - 1
    missing_counts[np.diff(dates) != 0] = 0
    within = _gap_violations(view, view.unique_timestamps, missing_counts)
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
    sessions = session_days(view.calendar, int(dates[0]), int(dates[-1]))
    # The calendar knows nothing of the time before its first session.
    closed = view.unique_timestamps[
        ~np.isin(dates, sessions) & (dates > (sessions[0] if sessions.size else dates))
    ]
    rows = np.flatnonzero(np.isin(view.timestamps, closed))
    return [RuleViolation(rows, "bars lie on days on which the exchange was closed")]


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


def _find_missing_sessions(view: BarsView, dates: TimestampsUs) -> list[RuleViolation]:
    sessions = session_days(view.calendar, int(dates[0]), int(dates[-1]))
    missing = sessions[~np.isin(sessions, dates)]
    if not missing.size:
        return []
    after = np.searchsorted(dates, missing, side="right")
    rows = np.flatnonzero(np.isin(view.timestamps, view.unique_timestamps[after]))
    span = (int(missing[0]) * DAY_US, int(missing[-1]) * DAY_US, int(missing.size))
    return [RuleViolation(rows, "sessions are missing", missing_span=span)]


def _session_dates(view: BarsView) -> TimestampsUs:
    """The session date of each timestamp, in days since 1970.

    If all timestamps are at midnight UTC they are dates; otherwise they are converted to the
    exchange's local time.
    """
    if not (view.unique_timestamps % DAY_US).any():
        return view.unique_timestamps // DAY_US
    timestamps = pd.to_datetime(view.unique_timestamps, unit="us", utc=True)
    local = timestamps.tz_convert(exchange_timezone(view.calendar)).tz_localize(None)
    return local.to_numpy(dtype="datetime64[D]").astype(np.int64)


_YEAR_US = 365 * DAY_US
_MIN_LOG_JUMP = np.log(2.0)


def ticker_reuse(view: BarsView) -> list[RuleViolation]:
    """Another asset had the ticker: a year or more without bars, then twice or half the price."""
    prices = view.log_prices
    is_gap = np.diff(prices.timestamps) >= _YEAR_US
    is_jump = np.abs(prices.opens[1:] - prices.closes[:-1]) >= _MIN_LOG_JUMP
    breaks = np.flatnonzero(is_gap & is_jump)
    if not breaks.size:
        return []
    rows = np.sort(prices.rows[: breaks[-1] + 1])
    description = "bars come before a gap of a year or more, at another price: another asset"
    return [RuleViolation(rows, description, "drop_before_gap")]

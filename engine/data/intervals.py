"""Where bars of an interval begin and end, months among them, whose lengths differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import INTERVAL_LENGTHS, MONTH

if TYPE_CHECKING:
    from engine.core.types import IntVector

# A Monday at midnight: weeks begin on Mondays, and every shorter interval divides a day.
WEEK_ANCHOR = pd.Timestamp("1970-01-05")
_MICROSECOND = pd.Timedelta(microseconds=1)
_ANCHOR_US = int((WEEK_ANCHOR - pd.Timestamp(0)) / _MICROSECOND)


def bar_ends(opens: IntVector, interval: str) -> IntVector:
    """When bars end: a length after their open, or with the calendar month they are labelled in.

    Args:
        opens: Timestamps of bars, microseconds since 1970.
        interval: Their interval.

    Returns:
        As `opens`.
    """
    if interval == MONTH:
        return interval_starts(interval_numbers(opens, MONTH) + 1, MONTH)
    return opens + _length_us(interval)


def bar_end(open_: pd.Timestamp, interval: str) -> pd.Timestamp:
    """When one bar ends, see `bar_ends`; in the time zone of its open."""
    if interval == MONTH:
        return open_.normalize().replace(day=1) + pd.DateOffset(months=1)
    return open_ + INTERVAL_LENGTHS[interval]


def interval_numbers(instants: IntVector, interval: str) -> IntVector:
    """The interval of a market that is always open in which each instant lies.

    Weeks begin on Mondays, months on their first days, and shorter intervals at multiples of their
    length from midnight, all in UTC. Consecutive intervals have consecutive numbers.

    Args:
        instants: Microseconds since 1970.
        interval: The interval.
    """
    if interval == MONTH:
        return instants.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return (instants - _ANCHOR_US) // _length_us(interval)


def interval_starts(numbers: IntVector, interval: str) -> IntVector:
    """When the intervals with these numbers begin, microseconds since 1970."""
    if interval == MONTH:
        return numbers.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
    return numbers * _length_us(interval) + _ANCHOR_US


def divides(base: str, interval: str) -> bool:
    """Whether each bar of an interval consists of whole bars of a shorter one."""
    if base == MONTH:
        return False
    if interval == MONTH:
        return INTERVAL_LENGTHS[base] <= pd.Timedelta(days=1)
    own, length = INTERVAL_LENGTHS[base], INTERVAL_LENGTHS[interval]
    return own < length and not length % own


def _length_us(interval: str) -> int:
    return int(INTERVAL_LENGTHS[interval] / _MICROSECOND)

"""Instants that a user writes, and calendar time between bars in years of 365.25 days."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from engine.core.types import Vector

DAYS_PER_YEAR = 365.25

_NANOSECONDS_PER_DAY = 86_400_000_000_000


def year_fractions(index: pd.Index) -> Vector:
    """Calendar years since the previous bar, shape (n,); 0 on the first.

    Args:
        index: Timestamps of n bars, ascending.
    """
    stamps = index.to_numpy(dtype="datetime64[us]")
    days = np.diff(stamps, prepend=stamps[:1]) / np.timedelta64(1, "D")
    return np.asarray(days / DAYS_PER_YEAR, dtype=np.float64)


def days_between(start: datetime, end: datetime) -> float:
    """Days of 24 hours from one instant to another.

    A difference of two instants of pandas takes twenty times as long as that of their nanoseconds,
    which an instant before 1678 or after 2261 does not have.
    """
    first: Any = start
    last: Any = end
    try:
        return float((last.value - first.value) / _NANOSECONDS_PER_DAY)
    except (AttributeError, OverflowError):
        return (end - start) / timedelta(days=1)


def parse_instant(text: str) -> pd.Timestamp | None:
    """An instant in ISO 8601; a date means its end, and without an offset the time is UTC.

    Args:
        text: Such as `2024-05-10` or `2024-05-10T14:30+02:00`.

    Returns:
        In UTC; None where it is no instant.
    """
    import pandas as pd

    written = text.strip().upper()
    stamp = pd.to_datetime(written, format="ISO8601", errors="coerce")
    if pd.isna(stamp) or "-" not in written or not written.isascii():
        return None
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        stamp += pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")

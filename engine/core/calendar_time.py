"""Instants that a user writes, and calendar time between bars in years of 365.25 days."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Vector

DAYS_PER_YEAR = 365.25


def year_fractions(index: pd.Index) -> Vector:
    """Calendar years since the previous bar, shape (n,); 0 on the first.

    Args:
        index: Timestamps of n bars, ascending.
    """
    stamps = index.to_numpy(dtype="datetime64[us]")
    days = np.diff(stamps, prepend=stamps[:1]) / np.timedelta64(1, "D")
    return np.asarray(days / DAYS_PER_YEAR, dtype=np.float64)


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

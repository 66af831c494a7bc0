"""Calendar time between bars, in years of 365.25 days."""

from __future__ import annotations

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

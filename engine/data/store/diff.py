"""Two vintages of one symbol beside each other, value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import ROUNDING_TOLERANCE, VALUE_COLUMNS

if TYPE_CHECKING:
    from engine.core.types import BarsFrame


def diff_bar_values(before: BarsFrame, after: BarsFrame) -> pd.DataFrame:
    """Every value that differs among the bars that two vintages have in common.

    Values that differ by no more than `ROUNDING` are the same.

    Args:
        before: Bars of one symbol, a timestamp once.
        after: The same symbol's.

    Returns:
        timestamp, column, before, after; in the order of the bars.
    """
    old, new = (bars.set_index("timestamp")[list(VALUE_COLUMNS)] for bars in (before, after))
    old, new = old.align(new, join="inner")
    one, other = old.to_numpy(dtype=np.float64), new.to_numpy(dtype=np.float64)
    near = np.abs(other - one) <= ROUNDING_TOLERANCE * np.maximum(np.abs(one), np.abs(other))
    rows, columns = np.nonzero(~(near | (np.isnan(one) & np.isnan(other))))
    return pd.DataFrame(
        {
            "timestamp": old.index[rows],
            "column": np.array(VALUE_COLUMNS)[columns],
            "before": one[rows, columns],
            "after": other[rows, columns],
        }
    )

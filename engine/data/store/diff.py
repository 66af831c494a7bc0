"""The difference between stored bars and newly fetched ones, or between two vintages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from engine.core.types import PRICE_COLUMNS
from engine.data.bars import ROUNDING_TOLERANCE, VALUE_COLUMNS, utc_datetime64
from engine.data.store.revisions import LargestChange, Revision

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame, IntVector, Matrix

# Vendors round an adjusted price to six digits or so before they send it: the factors of a
# uniform rescaling then scatter by a hundred thousandth.
_MAX_FACTOR_SCATTER = 2e-5
_PRICE_COUNT = len(PRICE_COLUMNS)


class BarsComparison(NamedTuple):
    """Stored bars compared with fetched ones, both by position.

    Attributes:
        superseded: Stored bars that were changed or removed, ascending.
        updates: Fetched bars that were changed or are new, ascending.
        extended_by: How many of `updates` lie before or after all stored bars.
        revision: None where no stored bar was changed or removed and none is new between them.
    """

    superseded: IntVector
    updates: IntVector
    extended_by: int
    revision: Revision | None


def compare_bars(stored: BarsFrame, fetched: BarsFrame) -> BarsComparison:
    """What fetched bars change about stored ones of the same span.

    Values that differ by no more than `ROUNDING_TOLERANCE` are equal: a vendor that keeps 32-bit
    floats and adjusts them changes the last place from one day to the next.

    Args:
        stored: Ascending by timestamp.
        fetched: Ascending by timestamp.
    """
    ours, theirs = _bar_keys(stored), _bar_keys(fetched)
    _, i, j = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    before, after = _value_matrix(stored)[i], _value_matrix(fetched)[j]
    differs = _values_differ(before, after)
    changed = differs.any(axis=1)
    removed = np.flatnonzero(~np.isin(ours, theirs, assume_unique=True))
    new = np.flatnonzero(~np.isin(theirs, ours, assume_unique=True))
    between = new[:0]
    if len(ours):
        between = new[(theirs[new] > ours[0]) & (theirs[new] < ours[-1])]
    revision = None
    if changed.any() or removed.size or between.size:
        touched = np.concatenate([ours[i[changed]], ours[removed], theirs[between]])
        factor, row = _detect_rescaling(before, after, differs)
        revision = Revision(
            changed=int(changed.sum()),
            added=len(between),
            removed=len(removed),
            first=_key_to_timestamp(touched.min()),
            last=_key_to_timestamp(touched.max()),
            largest_change=_find_largest_change(stored, i, before, after, differs),
            adjustment_factor=factor,
            adjusted_before=_first_bar_after(fetched, j, row) if factor else None,
            changed_volumes=int(differs[:, _PRICE_COUNT].sum()),
        )
    return BarsComparison(
        superseded=np.sort(np.concatenate([i[changed], removed])),
        updates=np.sort(np.concatenate([j[changed], new])),
        extended_by=len(new) - len(between),
        revision=revision,
    )


def diff_bar_values(before: BarsFrame, after: BarsFrame) -> pd.DataFrame:
    """Every value that differs among the bars that two vintages have in common.

    Values that differ by no more than `ROUNDING_TOLERANCE` are equal.

    Args:
        before: Bars of one symbol, each timestamp once.
        after: The same symbol's.

    Returns:
        timestamp, column, before, after; in the order of the bars.
    """
    old, new = (bars.set_index("timestamp")[list(VALUE_COLUMNS)] for bars in (before, after))
    old, new = old.align(new, join="inner")
    old_values, new_values = old.to_numpy(dtype=np.float64), new.to_numpy(dtype=np.float64)
    rows, columns = np.nonzero(_values_differ(old_values, new_values))
    return pd.DataFrame(
        {
            "timestamp": old.index[rows],
            "column": np.array(VALUE_COLUMNS)[columns],
            "before": old_values[rows, columns],
            "after": new_values[rows, columns],
        }
    )


def _bar_keys(bars: BarsFrame) -> npt.NDArray[np.int64]:
    """A number a bar, ascending: its microsecond; one more for each repeated timestamp."""
    stamps = utc_datetime64(bars).astype(np.int64)
    if (np.diff(stamps) == 0).any():
        stamps = stamps + bars.groupby("timestamp").cumcount().to_numpy()
    return stamps


def _key_to_timestamp(key: np.int64) -> pd.Timestamp:
    return pd.Timestamp(int(key), unit="us", tz="UTC")


def _value_matrix(bars: BarsFrame) -> Matrix:
    return bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)


def _values_differ(before: Matrix, after: Matrix) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(after - before) <= ROUNDING_TOLERANCE * np.maximum(
        np.abs(before), np.abs(after)
    )
    return np.asarray(~(near | (np.isnan(before) & np.isnan(after))))


def _detect_rescaling(
    before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> tuple[float | None, int]:
    """The one factor on all prices up to a row, and that row; None where there is no such."""
    moved = np.asarray(differs[:, :_PRICE_COUNT].any(axis=1))
    count = int(moved.sum())
    if count < 2 or not moved[:count].all() or (before[:count, :_PRICE_COUNT] <= 0.0).any():
        return None, 0
    ratios = after[:count, :_PRICE_COUNT] / before[:count, :_PRICE_COUNT]
    factor = float(np.median(ratios))
    if not np.isfinite(ratios).all() or factor <= 0.0:
        return None, 0
    scatter = float(np.abs(ratios / factor - 1.0).max())
    if scatter > min(_MAX_FACTOR_SCATTER, abs(factor - 1.0) / 2.0):
        return None, 0
    return factor, count - 1


def _first_bar_after(fetched: BarsFrame, j: IntVector, row: int) -> pd.Timestamp | None:
    after = int(j[row]) + 1
    return fetched["timestamp"].iloc[after] if after < len(fetched) else None


def _find_largest_change(
    stored: BarsFrame, i: IntVector, before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> LargestChange | None:
    if not differs.any():
        return None
    if differs[:, :_PRICE_COUNT].any():
        # A volume is often corrected by tenths; a changed price of any size matters more.
        differs = differs & (np.arange(len(VALUE_COLUMNS)) < _PRICE_COUNT)
    scale = np.maximum(np.abs(before), np.abs(after))
    size = np.where(differs, np.abs(after - before) / np.where(scale == 0.0, 1.0, scale), -1.0)
    # A value that appeared or disappeared has no size, and counts as the largest.
    size = np.where(differs & np.isnan(size), np.inf, size)
    row, column = np.unravel_index(int(size.argmax()), size.shape)
    return LargestChange(
        VALUE_COLUMNS[column],
        stored["timestamp"].iloc[int(i[row])],
        float(before[row, column]),
        float(after[row, column]),
    )

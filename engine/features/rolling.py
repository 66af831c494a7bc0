"""Means, deviations and z-scores over the last `window` rows, each window summed afresh.

pandas carries a rolling deviation from row to row, and what a huge value leaves behind stays in
it: twenty volumes of 0.0003 after one of 1e13 got a deviation of 45,253 (pandas 3.1). Here a
value depends on the rows of its own window and on nothing else, to the last bit, whatever came
before and however many rows follow.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from engine.types import Matrix, Vector


def mean_and_deviation(
    values: Vector | Matrix, window: int, *, ddof: int = 0
) -> tuple[Vector | Matrix, Vector | Matrix]:
    """Mean and standard deviation of the last `window` rows, this one included.

    Args:
        values: Shape (n,) or (n, k); columns are treated one by one.
        window: Rows; at least `ddof` + 1.
        ddof: 0 divides the squares by `window`, 1 by `window` - 1.

    Returns:
        Two arrays of the shape of `values`; NaN in the first `window` - 1 rows and wherever a
        window holds a NaN. A window of equal values has exactly that mean and deviation 0.
    """
    mean, deviation = np.full_like(values, np.nan), np.full_like(values, np.nan)
    rows = len(values) - window + 1
    if rows < 1:
        return mean, deviation
    # Added one lag at a time: numpy orders a sum along an axis by the array's shape, so the same
    # window could round differently in a longer history.
    lags = [values[lag : lag + rows] for lag in range(window)]
    centre = reduce(np.add, lags) / window
    squares = reduce(np.add, ((lag - centre) ** 2 for lag in lags))
    view = sliding_window_view(values, window, axis=0)
    still = view.max(axis=-1) == view.min(axis=-1)
    mean[window - 1 :] = np.where(still, lags[-1], centre)
    deviation[window - 1 :] = np.where(still, 0.0, np.sqrt(squares / (window - ddof)))
    return mean, deviation


def zscore(values: Vector | Matrix, window: int) -> Vector | Matrix:
    """(x - mean) / deviation over the last `window` rows, this one included.

    Args:
        values: Shape (n,) or (n, k); columns are treated one by one.
        window: Rows.

    Returns:
        The shape of `values`, in [-sqrt(window - 1), sqrt(window - 1)]; 0 where the window does
        not vary; NaN in the first `window` - 1 rows and wherever a window holds a NaN.
    """
    mean, deviation = mean_and_deviation(values, window)
    return (values - mean) / np.where(deviation == 0.0, np.inf, deviation)

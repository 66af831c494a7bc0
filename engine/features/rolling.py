"""Statistics of the last `window` rows, each window summed afresh.

pandas carries a rolling deviation from row to row, and what a huge value leaves behind stays in
it: twenty volumes of 0.0003 after one of 1e13 got a deviation of 45,253 (pandas 3.1). Here a
value depends on the rows of its own window and on nothing else, to the last bit, whatever came
before and however many rows follow.

Windows are added one lag at a time: numpy orders a sum along an axis by the array's shape, so the
same window could round differently in a longer history. That is done in blocks of rows that stay
in a core's cache, which changes no bit and is several times as fast.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector

_BLOCK = 8_192
"""Values a block: 64 KB, of which a handful fit into a second-level cache."""


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
    for rows, block in _blocks(values, window):
        lags, still = _lagged_values(block, window), _is_constant(block, window)
        centre = reduce(np.add, lags) / window
        squares = reduce(np.add, (np.square(lag - centre) for lag in lags))
        mean[rows] = np.where(still, lags[-1], centre)
        deviation[rows] = np.where(still, 0.0, np.sqrt(squares / (window - ddof)))
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


def covariance(left: Vector, right: Vector, window: int) -> Vector:
    """Covariance of the last `window` rows of two series, divisor `window`.

    Returns:
        Shape (n,); exactly 0 where either does not vary within the window; NaN in the first
        `window` - 1 rows and wherever a window holds a NaN.
    """
    found = np.full_like(left, np.nan)
    blocks = zip(_blocks(left, window), _blocks(right, window), strict=True)
    for (rows, ours), (_, theirs) in blocks:
        still = _is_constant(ours, window) | _is_constant(theirs, window)
        pairs = zip(_centred_lags(ours, window), _centred_lags(theirs, window), strict=True)
        products = (mine * yours for mine, yours in pairs)
        found[rows] = np.where(still, 0.0, reduce(np.add, products) / window)
    return found


def weighted_sum(values: Vector, weights: Vector) -> Vector:
    """w_0 x_t + w_1 x_{t-1} + ..., shape (n,); NaN in the first len(w) - 1 rows."""
    found = np.full_like(values, np.nan)
    for rows, block in _blocks(values, len(weights)):
        terms = zip(weights[::-1], _lagged_values(block, len(weights)), strict=True)
        found[rows] = reduce(np.add, (weight * lag for weight, lag in terms))
    return found


def midrank(values: Vector, window: int) -> Vector:
    """How many of the last `window` values lie below this one, ties counted half.

    Returns:
        Shape (n,), twice the count, so that it is whole: 1 for the lowest of all (it ties with
        itself), `window` where all are equal, 2 `window` - 1 for the highest; NaN in the first
        `window` - 1 rows. A NaN lies below nothing and nothing below it.
    """
    found = np.full_like(values, np.nan)
    for rows, block in _blocks(values, window):
        now = block[window - 1 :]
        below = np.zeros(len(now), dtype=np.int16)
        for lag in _lagged_values(block, window):
            below += lag < now
            below += lag <= now
        found[rows] = below
    return found


def _blocks(values: Vector | Matrix, window: int) -> Iterator[tuple[slice, Vector | Matrix]]:
    """Rows that have a whole window, some at a time, and all the values that they look at."""
    size = max(1, _BLOCK // max(1, values[:1].size))
    for start in range(window - 1, len(values), size):
        stop = min(start + size, len(values))
        yield slice(start, stop), values[start - window + 1 : stop]


def _lagged_values(block: Vector | Matrix, window: int) -> list[Vector | Matrix]:
    """The first value of every window, the second, and so on to the last."""
    rows = len(block) - window + 1
    return [block[lag : lag + rows] for lag in range(window)]


def _centred_lags(block: Vector, window: int) -> Iterator[Vector]:
    """The lags less their windows' means."""
    lags = _lagged_values(block, window)
    centre = reduce(np.add, lags) / window
    return (lag - centre for lag in lags)


def _is_constant(block: Vector | Matrix, window: int) -> npt.NDArray[np.bool_]:
    """Whether all values of a window are equal."""
    still: npt.NDArray[np.bool_] = _rolling_extreme(np.maximum, block, window) == _rolling_extreme(
        np.minimum, block, window
    )
    return still


def _rolling_extreme(ufunc: np.ufunc, block: Vector | Matrix, window: int) -> Vector | Matrix:
    """Highest or lowest value of every window; windows of 1, 2, 4, ... are made of two halves."""
    width = 1
    while 2 * width <= window:
        block = ufunc(block[:-width], block[width:])
        width *= 2
    rest = window - width
    found: Matrix = ufunc(block[: len(block) - rest], block[rest:])
    return found

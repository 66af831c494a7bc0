"""Statistics of the last `window` rows, computed for each window separately.

pandas updates a rolling deviation from row to row, which keeps the rounding error of a huge value:
twenty volumes of 0.0003 after one of 1e13 got a deviation of 45,253 (pandas 3.1). Here a value
depends on the rows of its own window only, to the last bit, whatever the earlier rows and the
number of later rows.

Windows are summed one lag at a time: numpy orders a sum along an axis by the array's shape, so the
same window could round differently in a longer history. The sums run over blocks of rows that fit
into a core's cache, which changes no bit and is several times as fast.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector

_BLOCK = 8_192
"""Values per block: 64 KB, of which several fit into a second-level cache."""

_FEW_WINDOWS, _FEW_VALUES = 4, 64
"""Windows, and values in them of one row, up to which a loop over the windows takes less time."""


def mean_and_deviation(
    values: Vector | Matrix, window: int, *, ddof: int = 0
) -> tuple[Vector | Matrix, Vector | Matrix]:
    """Mean and standard deviation of the last `window` rows, the current one included.

    Args:
        values: Shape (n,) or (n, k); columns are independent.
        window: Rows; at least `ddof` + 1.
        ddof: 0 divides the squares by `window`, 1 by `window` - 1.

    Returns:
        Two arrays of the shape of `values`; NaN in the first `window` - 1 rows and wherever a
        window holds a NaN. A window of equal values has exactly that mean, and deviation 0.
    """
    if values.ndim == 1 and 0 <= len(values) - window < _FEW_WINDOWS:
        return _describe_few_windows(values, window, ddof)
    mean, deviation = np.full_like(values, np.nan), np.full_like(values, np.nan)
    for rows, block in _blocks(values, window):
        constant, centre, squares = _describe_windows(block, window)
        mean[rows] = np.where(constant, block[window - 1 :], centre)
        deviation[rows] = np.where(constant, 0.0, np.sqrt(squares / (window - ddof)))
    return mean, deviation


def zscore(values: Vector | Matrix, window: int) -> Vector | Matrix:
    """(x - mean) / deviation over the last `window` rows, the current one included.

    Args:
        values: Shape (n,) or (n, k); columns are independent.
        window: Rows.

    Returns:
        The shape of `values`, in [-sqrt(window - 1), sqrt(window - 1)]; 0 where the window
        is constant; NaN in the first `window` - 1 rows and wherever a window holds a NaN.
    """
    mean, deviation = mean_and_deviation(values, window)
    return (values - mean) / np.where(deviation == 0.0, np.inf, deviation)


def describe_window(values: Vector, *, ddof: int = 0) -> tuple[float, float]:
    """`mean_and_deviation` of a single window at its last row."""
    window = len(values)
    last = float(values[-1])
    if last == values[window - 2] and (values == last).all():
        return last, 0.0
    centre = np.add.accumulate(values)[-1] / window
    distance = values - centre
    squares = np.add.accumulate(distance * distance)[-1]
    return float(centre), math.sqrt(squares / (window - ddof))


def newest_zscore(values: Vector) -> float:
    """`zscore` of a single window at its last row."""
    mean, deviation = describe_window(values)
    return (float(values[-1]) - mean) / (deviation or math.inf)


def covariance(left: Vector | Matrix, right: Vector | Matrix, window: int) -> Vector | Matrix:
    """Covariance of the last `window` rows of two series, divisor `window`.

    Args:
        left: Shape (n,) or (n, k); columns are independent.
        right: The same shape.
        window: Rows.

    Returns:
        That shape; exactly 0 where either is constant within the window; NaN in the first
        `window` - 1 rows and wherever a window holds a NaN.
    """
    result = np.full_like(left, np.nan)
    blocks = zip(_blocks(left, window), _blocks(right, window), strict=True)
    for (rows, ours), (_, theirs) in blocks:
        constant = _is_constant(ours, window) | _is_constant(theirs, window)
        if _has_few_windows(ours, window):
            left_windows, right_windows = (_windows(each, window) for each in (ours, theirs))
            mine = left_windows - _sum(left_windows)[:, None] / window
            yours = right_windows - _sum(right_windows)[:, None] / window
            total = _sum(mine * yours)
        else:
            pairs = zip(_centred_lags(ours, window), _centred_lags(theirs, window), strict=True)
            total = reduce(np.add, (mine * yours for mine, yours in pairs))
        result[rows] = np.where(constant, 0.0, total / window)
    return result


def weighted_sum(values: Vector | Matrix, weights: Vector) -> Vector | Matrix:
    """w_0 x_t + w_1 x_{t-1} + ..., shape (n,) or (n, k); NaN in the first len(w) - 1 rows."""
    result = np.full_like(values, np.nan)
    for rows, block in _blocks(values, len(weights)):
        if _has_few_windows(block, len(weights)):
            each_lag = weights[::-1].reshape(-1, *[1] * (block.ndim - 1))
            result[rows] = _sum(each_lag * _windows(block, len(weights)))
            continue
        terms = zip(weights[::-1], _lagged_values(block, len(weights)), strict=True)
        result[rows] = reduce(np.add, (weight * lag for weight, lag in terms))
    return result


def midrank(values: Vector | Matrix, window: int) -> Vector | Matrix:
    """Number of the last `window` values below the current one, ties counted half.

    Returns:
        Shape (n,) or (n, k), twice the number, so that it is an integer: 1 for the lowest of all
        (it ties with itself), `window` where all are equal, 2 `window` - 1 for the highest; NaN in
        the first `window` - 1 rows. Comparisons with NaN are false.
    """
    result = np.full_like(values, np.nan)
    for rows, block in _blocks(values, window):
        now = block[window - 1 :]
        if _has_few_windows(block, window):
            windows = _windows(block, window)
            lower, not_higher = windows < now[:, None], windows <= now[:, None]
            result[rows] = np.count_nonzero(lower, axis=1) + np.count_nonzero(not_higher, axis=1)
            continue
        below = np.zeros(now.shape, dtype=np.int16)
        for lag in _lagged_values(block, window):
            below += lag < now
            below += lag <= now
        result[rows] = below
    return result


def is_constant(values: Vector | Matrix, window: int) -> npt.NDArray[np.bool_]:
    """Whether the last `window` values are equal; not in the first `window` - 1 rows."""
    constant = np.zeros(values.shape, dtype=bool)
    if len(values) >= window:
        constant[window - 1 :] = _is_constant(values, window)
    return constant


def _blocks(values: Vector | Matrix, window: int) -> Iterator[tuple[slice, Vector | Matrix]]:
    """Blocks of rows with a complete window, each with all the values of their windows."""
    size = max(1, _BLOCK // max(1, values[:1].size))
    for start in range(window - 1, len(values), size):
        stop = min(start + size, len(values))
        yield slice(start, stop), values[start - window + 1 : stop]


def _lagged_values(block: Vector | Matrix, window: int) -> list[Vector | Matrix]:
    """The first value of every window, the second, and so on up to the last."""
    rows = len(block) - window + 1
    return [block[lag : lag + rows] for lag in range(window)]


def _has_few_windows(block: Vector | Matrix, window: int) -> bool:
    """Whether a loop over the windows takes less time than one over the lags."""
    return len(block) - window < _FEW_WINDOWS and block[:1].size <= _FEW_VALUES


def _windows(block: Vector | Matrix, window: int) -> Matrix:
    """(n, window) or (n, window, k): the values of each window."""
    return np.array([block[start : start + window] for start in range(len(block) - window + 1)])


def _sum(windows: Matrix) -> Vector | Matrix:
    """The sum of each window, added one lag at a time, as the sums of many windows are."""
    total: Vector = np.add.accumulate(windows, axis=1)[:, -1]
    return total


def _describe_few_windows(values: Vector, window: int, ddof: int) -> tuple[Vector, Vector]:
    """`mean_and_deviation` of a few windows, one after another: a third of the calls."""
    mean, deviation = np.full((2, len(values)), np.nan)
    for row in range(window - 1, len(values)):
        part = values[row - window + 1 : row + 1]
        mean[row], deviation[row] = describe_window(part, ddof=ddof)
    return mean, deviation


def _describe_windows(
    block: Vector | Matrix, window: int
) -> tuple[npt.NDArray[np.bool_], Vector | Matrix, Vector | Matrix]:
    """Of every window: whether it is constant, its mean, the sum of squared distances from it."""
    if _has_few_windows(block, window):
        windows = _windows(block, window)
        centre = _sum(windows) / window
        distance = windows - centre[:, None]
        return _are_constant(windows), centre, _sum(distance * distance)
    lags = _lagged_values(block, window)
    centre = reduce(np.add, lags) / window
    squares = reduce(np.add, (np.square(lag - centre) for lag in lags))
    return _is_constant(block, window), centre, squares


def _centred_lags(block: Vector | Matrix, window: int) -> Iterator[Vector | Matrix]:
    """The lagged values minus their windows' means."""
    lags = _lagged_values(block, window)
    centre = reduce(np.add, lags) / window
    return (lag - centre for lag in lags)


def _is_constant(block: Vector | Matrix, window: int) -> npt.NDArray[np.bool_]:
    """Whether all values of a window are equal."""
    if _has_few_windows(block, window):
        return _are_constant(_windows(block, window))
    highest = _rolling_extreme(np.maximum, block, window)
    lowest = _rolling_extreme(np.minimum, block, window)
    is_constant: npt.NDArray[np.bool_] = highest == lowest
    return is_constant


def _are_constant(windows: Matrix) -> npt.NDArray[np.bool_]:
    """Whether all values of each window are equal."""
    are_equal: npt.NDArray[np.bool_] = (windows == windows[:, :1]).all(axis=1)
    return are_equal


def _rolling_extreme(ufunc: np.ufunc, block: Vector | Matrix, window: int) -> Vector | Matrix:
    """Maximum or minimum of every window, from those of windows of 1, 2, 4, ... values."""
    width = 1
    while 2 * width <= window:
        block = ufunc(block[:-width], block[width:])
        width *= 2
    rest = window - width
    result: Matrix = ufunc(block[: len(block) - rest], block[rest:])
    return result

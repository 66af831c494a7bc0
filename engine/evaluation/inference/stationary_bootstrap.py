"""Stationary bootstrap: cumulative sums of its blocks, cells, and the optimal block length.

A resample of n rows is a sequence of blocks with uniform starts and geometric lengths of mean
`block_length`; rows wrap around at the end of the series, and the last block is truncated at n
(Politis & Romano 1994, The Stationary Bootstrap, JASA 89). A statistic of sums needs only the sum
of each block, a difference of two cumulative sums: with blocks of nine bars this is one ninth of
the work of drawing every row. `compiled_resampling` draws the blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.lagged_products import MANY_BARS, lagged_products

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector


def circular_cumsum(values: Matrix) -> Matrix:
    """Cumulative sums from 0 over two passes of the rows of `values`, (n, k) to (2 n + 1, k).

    The values of rows i to j - 1 sum to row j minus row i.
    """
    before = np.zeros((1, values.shape[1]))
    return np.concatenate([before, np.cumsum(np.concatenate([values, values]), axis=0)])


def circular_cell_edges(rows: int, cells: int) -> IntVector:
    """First rows of cells of nearly equal size, over two passes, shape (2 cells + 1,)."""
    return np.arange(2 * cells + 1, dtype=np.int64) * rows // cells


def optimal_block_length(values: Vector) -> float:
    """Optimal mean block length of the stationary bootstrap for the mean, at least 1 bar.

    b = (2 G^2 / D)^(1/3) n^(1/3) with D = 2 (sum of w R)^2 and G = sum of w |k| R, over the
    autocovariances R(k), the flat-top weights w = 1 up to |k| = M / 2 and falling to 0 at M.

    Equal to `arch.bootstrap.optimal_block_length`, to the last digit up to `MANY_BARS` bars;
    importing arch would take longer than loading the data.

    Args:
        values: Shape (n,), n >= 30; no NaN.

    Source: Politis & White (2004), Automatic Block-Length Selection for the Dependent Bootstrap,
    Econometric Reviews 23; corrected by Patton, Politis & White (2009), Econometric Reviews 28.
    """
    bars = len(values)
    centred = values - values.mean()
    run_length = max(5, int(np.log10(bars)))
    max_lag = int(np.ceil(np.sqrt(bars))) + run_length
    products, norms = (_sum_by_transform if bars > MANY_BARS else _sum_by_bar)(centred, max_lag)
    # 1. M is twice the last lag before the first run of insignificant autocorrelations.
    small = np.abs(products) / np.sqrt(norms) < 2 * np.sqrt(np.log10(bars) / bars)
    runs = np.lib.stride_tricks.sliding_window_view(small[:-1], run_length).all(axis=1)
    bandwidth = min(2 * max(int(runs.argmax()), 1), max_lag) if runs.any() else max_lag
    # 2. G and the long-run variance with the flat-top weights, summed lag by lag.
    lags = np.arange(1, bandwidth + 1)
    weights = np.where(lags / bandwidth <= 0.5, 1.0, 2 * (1 - lags / bandwidth))
    covariances = products[: bandwidth + 1] / bars
    slope = np.cumsum(2 * weights * lags * covariances[1:])[-1]
    variance = np.cumsum(np.append(covariances[0], 2 * weights * covariances[1:]))[-1]
    # 3. The length, bounded well below the length of the series.
    length = (2 * slope**2 / (2 * variance**2)) ** (1 / 3) * bars ** (1 / 3)
    longest = np.ceil(min(3 * np.sqrt(bars), bars / 3))
    return float(max(1.0, min(length, longest)))


def _sum_by_bar(centred: Vector, max_lag: int) -> tuple[Vector, Vector]:
    """Sums of lagged products, and their largest sizes; lags 0 to `max_lag`."""
    bars = len(centred)
    products = np.array([centred[lag:] @ centred[: bars - lag] for lag in range(max_lag + 1)])
    norms = [
        (centred[lag + 1 :] @ centred[lag + 1 :]) * (centred[: -lag - 1] @ centred[: -lag - 1])
        for lag in range(max_lag + 1)
    ]
    return products, np.array(norms)


def _sum_by_transform(centred: Vector, max_lag: int) -> tuple[Vector, Vector]:
    """As `_sum_by_bar`, within rounding: the squares that a lag leaves out are at both ends."""
    squares = centred**2
    total, left_out = squares.sum(), slice(max_lag + 1)
    first, last = (np.cumsum(each[left_out]) for each in (squares, squares[::-1]))
    return lagged_products(centred, max_lag), (total - first) * (total - last)

"""Stationary bootstrap: resamples as blocks, and the optimal block length.

A resample of n rows is a sequence of blocks with uniform starts and geometric lengths of mean
`block_length`; rows wrap around at the end of the series, and the last block is truncated at n
(Politis & Romano 1994, The Stationary Bootstrap, JASA 89). A statistic of sums needs only the sum
of each block, a difference of two cumulative sums: with blocks of nine bars this is one ninth of
the work of drawing every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Vector


_UINT32_RANGE = 2**32


@dataclass(frozen=True)
class BootstrapBlocks:
    """The blocks of several resamples of n rows, one resample after the other.

    Attributes:
        start: First row of each block, shape (m,).
        stop: Row after its last, from `start` to `start` + n; rows from n on wrap around.
        first_block: Index of the first block of each resample, shape (resamples,).
        block_count: Number of blocks of each resample, shape (resamples,).
    """

    start: IntVector
    stop: IntVector
    first_block: IntVector
    block_count: IntVector

    def to_rows(self, edges: IntVector) -> BootstrapBlocks:
        """Blocks of cells as blocks of rows: cell i has the rows `edges[i]` to `edges[i + 1]`."""
        return replace(self, start=edges.take(self.start), stop=edges.take(self.stop))

    @property
    def lengths(self) -> IntVector:
        """Number of rows of each block, shape (m,)."""
        return self.stop - self.start

    def block_sums(self, cumulative_sums: Vector) -> Vector:
        """Sum of the values over each block, from their `circular_cumsum`, shape (m,)."""
        return cumulative_sums.take(self.stop) - cumulative_sums.take(self.start)

    def resample_totals(self, by_block: Vector | IntVector) -> Vector:
        """Sum of `by_block` over each resample, shape (resamples,)."""
        return np.asarray(np.add.reduceat(by_block, self.first_block))

    def repeat_by_block(self, by_resample: Vector) -> Vector:
        """The value of each resample, repeated for each of its blocks, shape (m,)."""
        return np.asarray(np.repeat(by_resample, self.block_count), dtype=np.float64)


def circular_cumsum(values: Vector) -> Vector:
    """Cumulative sums from 0 over two passes of `values`, shape (n,) to (2 n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(np.concatenate([values, values]))])


def circular_cell_edges(rows: int, cells: int) -> IntVector:
    """First rows of cells of nearly equal size, over two passes, shape (2 cells + 1,)."""
    return np.arange(2 * cells + 1, dtype=np.int64) * rows // cells


def draw_blocks(
    rng: np.random.Generator, bars: int, block_length: float, resamples: int
) -> BootstrapBlocks:
    """Draws the blocks of `resamples` resamples of `bars` rows.

    Every row of a resample begins a block with probability 1 / `block_length`, the first one
    always.

    Args:
        rng: Random generator.
        bars: Rows of the data and of each resample, n.
        block_length: Mean length of a block, at least 1.
        resamples: Number of resamples.
    """
    total = bars * resamples
    begins = _draw_uint32(rng, total) < round(_UINT32_RANGE / block_length)
    begins[::bars] = True
    edges = np.append(np.flatnonzero(begins), total)
    start = rng.integers(0, bars, len(edges) - 1)
    first = np.searchsorted(edges, np.arange(resamples, dtype=np.int64) * bars)
    return BootstrapBlocks(
        start=start,
        stop=start + np.diff(edges),
        first_block=first,
        block_count=np.diff(first, append=len(start)),
    )


def _draw_uint32(rng: np.random.Generator, count: int) -> npt.NDArray[np.uint32]:
    """Uniform on 0 to 2^32 - 1; two numbers a draw, which halves the time."""
    pairs = rng.integers(0, 2**64, -(-count // 2), dtype=np.uint64)
    return pairs.view(np.uint32)[:count]


def optimal_block_length(values: Vector) -> float:
    """Optimal mean block length of the stationary bootstrap for the mean, at least 1 bar.

    b = (2 G^2 / D)^(1/3) n^(1/3) with D = 2 (sum of w R)^2 and G = sum of w |k| R, over the
    autocovariances R(k), the flat-top weights w = 1 up to |k| = M / 2 and falling to 0 at M.

    Equal to `arch.bootstrap.optimal_block_length` to the last digit; importing arch would take
    longer than loading the data.

    Args:
        values: Shape (n,), n >= 30; no NaN.

    Source: Politis & White (2004), Automatic Block-Length Selection for the Dependent Bootstrap,
    Econometric Reviews 23; corrected by Patton, Politis & White (2009), Econometric Reviews 28.
    """
    bars = len(values)
    centred = values - values.mean()
    run_length = max(5, int(np.log10(bars)))
    max_lag = int(np.ceil(np.sqrt(bars))) + run_length
    products = np.array([centred[lag:] @ centred[: bars - lag] for lag in range(max_lag + 1)])
    # 1. M is twice the last lag before the first run of insignificant autocorrelations.
    norms = [
        (centred[lag + 1 :] @ centred[lag + 1 :]) * (centred[: -lag - 1] @ centred[: -lag - 1])
        for lag in range(max_lag + 1)
    ]
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

"""Studentised Sharpe ratios of stationary-bootstrap resamples, compiled by Numba.

One pass over the resamples draws the blocks of each, sums every book over them, and computes all
statistics; array by array in NumPy this takes about three times as long. The compiled code is kept
on disk, beside this file or in the user's cache folder; the first process on a machine compiles
it, which takes two seconds. Where no resample is drawn, nothing imports this module: importing
Numba takes longer than reading the bars.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from engine.core.types import IntMatrix, IntVector, Matrix, Vector


@njit(cache=True, nogil=True)
def draw_blocks(
    rng: np.random.Generator,
    rows: int,
    begin_probability: float,
    starts: IntVector,
    lengths: IntVector,
) -> int:
    """Draws the blocks of one resample of `rows` rows into `starts` and `lengths`.

    Every row of a resample begins a block with probability `begin_probability`, the first one
    always. Rows wrap around at the end of the series; the last block is truncated.

    Args:
        rng: Random generator; two uniform numbers a block, one where every block has one row.
        rows: Rows of the data and of the resample.
        begin_probability: 1 / mean block length, above 0 and at most 1.
        starts: Receives the first row of each block; shape (rows,).
        lengths: Receives the number of rows of each block; shape (rows,).

    Returns:
        The number of blocks; what lies behind them in `starts` and `lengths` is unchanged.
    """
    scale = 1.0 / math.log1p(-begin_probability) if begin_probability < 1.0 else 0.0
    remaining, count = rows, 0
    while remaining > 0:
        length = 1
        if begin_probability < 1.0:
            # Inversion of the geometric distribution; compared as floats, which cannot overflow.
            extra = math.log1p(-rng.random()) * scale
            length = 1 + int(extra) if extra < remaining else remaining
        length = min(length, remaining)
        starts[count] = int(rng.random() * rows)
        lengths[count] = length
        remaining -= length
        count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def studentise_resamples(
    rng: np.random.Generator,
    cumulative_sums: Matrix,
    edges: IntVector,
    begin_probability: float,
    pairs: IntMatrix,
    estimates: Vector,
    resamples: int,
) -> Matrix:
    """(statistic - estimate) / its standard error in each resample, all on the same resamples.

    A statistic is the Sharpe ratio of a book, or its difference to that of another one. The
    standard error is estimated from the blocks of the resample, which are independent: the root of
    the sum of squared influence sums of the blocks, over n. The statistic of a constant resample,
    as of a book that hardly trades, and of one with a single block is undefined and counts as
    infinite, which is conservative.

    Sums may be added up in any order, so that their last digits may differ between processors.

    Args:
        rng: Random generator; its state moves on.
        cumulative_sums: (2 m + 1, 2 k) rows of the `circular_cumsum` of r of each of k books, then
            of r^2, at the edges.
        edges: (2 m + 1,) first rows of the m cells that are drawn, over two passes of the rows.
        begin_probability: Share of cells that begin a block, 1 / mean length in cells.
        pairs: (s, 2) indices of the book of each statistic, and of the one whose Sharpe ratio is
            subtracted; -1 for none.
        estimates: (s,) the statistics of the data.
        resamples: Number of resamples.

    Returns:
        Shape (s, resamples); no NaN.
    """
    cells = (len(edges) - 1) // 2
    rows = edges[cells]
    starts, lengths = np.empty(cells, np.int64), np.empty(cells, np.int64)
    books = cumulative_sums.shape[1] // 2
    sums, sizes, totals = np.empty((cells, 2 * books)), np.empty(cells), np.empty(2 * books)
    # The last row stays 0: it is what a pair without a second book subtracts.
    ratios, influence = np.zeros(books + 1), np.zeros((books + 1, cells))
    studentised = np.empty((len(pairs), resamples))
    for resample in range(resamples):
        blocks = draw_blocks(rng, cells, begin_probability, starts, lengths)
        totals[:] = 0.0
        for block in range(blocks):
            first, stop = starts[block], starts[block] + lengths[block]
            sizes[block] = edges[stop] - edges[first]
            for moment in range(2 * books):
                block_sum = cumulative_sums[stop, moment] - cumulative_sums[first, moment]
                sums[block, moment] = block_sum
                totals[moment] += block_sum
        for book in range(books):
            ratios[book] = _measure_blocks(
                totals[book] / rows,
                totals[books + book] / rows,
                sums[:blocks, book],
                sums[:blocks, books + book],
                sizes,
                influence[book],
            )
        for s in range(len(pairs)):
            book, subtracted = pairs[s]
            squares = 0.0
            for block in range(blocks):
                squares += (influence[book, block] - influence[subtracted, block]) ** 2
            ratio = ratios[book] - ratios[subtracted]
            value = (ratio - estimates[s]) / (math.sqrt(squares) / rows)
            defined = blocks > 1 and math.isfinite(value)
            studentised[s, resample] = value if defined else np.inf
    return studentised


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def _measure_blocks(
    mean: float,
    square: float,
    sums: Vector,
    square_sums: Vector,
    sizes: Vector,
    influence: Vector,
) -> float:
    """The Sharpe ratio of a book in a resample, and into `influence` that of each block on it.

    The ratio is a function of the means of r and r^2. The influence of a block is the gradient
    times its sums of both, less its rows' share of the same over all rows.
    """
    variance = square - mean**2
    deviation = math.sqrt(variance) if variance > 0.0 else np.nan
    slope, square_slope = square / deviation**3, -mean / (2 * deviation**3)
    centre = slope * mean + square_slope * square
    for block in range(len(sums)):
        influence[block] = (
            slope * sums[block] + square_slope * square_sums[block] - centre * sizes[block]
        )
    return mean / deviation

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


@njit(cache=True, nogil=True, error_model="numpy")
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

    Args:
        rng: Random generator; its state moves on.
        cumulative_sums: (2 k, 2 n + 1) `circular_cumsum` of r and of r^2 of each of k books.
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
    starts, stops = np.empty(cells, np.int64), np.empty(cells, np.int64)
    books = len(cumulative_sums) // 2
    ratios, influence = np.empty(books), np.empty((books, cells))
    studentised = np.empty((len(pairs), resamples))
    for resample in range(resamples):
        blocks = draw_blocks(rng, cells, begin_probability, starts, stops)
        for block in range(blocks):
            first = starts[block]
            starts[block], stops[block] = edges[first], edges[first + stops[block]]
        for book in range(books):
            ratios[book] = _measure_blocks(
                cumulative_sums[2 * book : 2 * book + 2],
                starts[:blocks],
                stops[:blocks],
                rows,
                influence[book],
            )
        for s in range(len(pairs)):
            book, subtracted = pairs[s]
            ratio, squares = ratios[book], 0.0
            if subtracted >= 0:
                ratio -= ratios[subtracted]
                for block in range(blocks):
                    squares += (influence[book, block] - influence[subtracted, block]) ** 2
            else:
                for block in range(blocks):
                    squares += influence[book, block] ** 2
            value = (ratio - estimates[s]) / (math.sqrt(squares) / rows)
            defined = blocks > 1 and math.isfinite(value)
            studentised[s, resample] = value if defined else np.inf
    return studentised


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_blocks(
    cumulative_sums: Matrix, starts: IntVector, stops: IntVector, rows: int, influence: Vector
) -> float:
    """The Sharpe ratio of a book in a resample, and into `influence` that of each block on it.

    The ratio is a function of the means of r and r^2. The influence of a block is the gradient
    times its sums of both, less its rows' share of the same over all rows.
    """
    blocks = len(starts)
    total, square_total = 0.0, 0.0
    for block in range(blocks):
        total += cumulative_sums[0, stops[block]] - cumulative_sums[0, starts[block]]
        square_total += cumulative_sums[1, stops[block]] - cumulative_sums[1, starts[block]]
    mean, square = total / rows, square_total / rows
    variance = square - mean**2
    deviation = math.sqrt(variance) if variance > 0.0 else np.nan
    slope, square_slope = square / deviation**3, -mean / (2 * deviation**3)
    centre = slope * mean + square_slope * square
    for block in range(blocks):
        start, stop = starts[block], stops[block]
        influence[block] = (
            slope * (cumulative_sums[0, stop] - cumulative_sums[0, start])
            + square_slope * (cumulative_sums[1, stop] - cumulative_sums[1, start])
            - centre * (stop - start)
        )
    return mean / deviation

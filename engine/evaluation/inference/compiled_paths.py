"""Equity paths of stationary-bootstrap resamples, compiled by Numba.

A resample is followed cell by cell: of each book only equity, peak, max drawdown and time under
water are kept, so that a path needs no memory. Compiled code is kept on disk, as that of
`compiled_resampling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numba import njit

from engine.evaluation.inference.compiled_resampling import draw_blocks

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix

    Cube: TypeAlias = npt.NDArray[np.float64]

FIGURES = 5
"""Figures of a cell: end, low, high, drawdown inside (logs of equity), time under water inside."""


@njit(cache=True, nogil=True, error_model="numpy")
def summarise_cells(log_growth: Matrix, edges: IntVector) -> tuple[Cube, IntVector]:
    """What of each cell decides drawdown and growth of every path that passes through it.

    With the equity E at the first open of the cell as unit: log E at its last bar, the lowest and
    the highest log E at its bars, the largest fall of log E from a peak inside the cell, its start
    included, and the longest time under water inside it. The drawdown of a path is then exact,
    also for cells of many bars.

    Args:
        log_growth: log(1 + r) of each book, shape (n, k); -inf where all equity is lost.
        edges: First rows of the cells and n, shape (m + 1,).

    Returns:
        Figures, shape (m, k, FIGURES), and for each cell and book the number of bars up to the
        last of its highest ones, shape (m, k).
    """
    cells, books = len(edges) - 1, log_growth.shape[1]
    figures, tops = np.empty((cells, books, FIGURES)), np.empty((cells, books), np.int64)
    for cell in range(cells):
        first, stop = edges[cell], edges[cell + 1]
        for book in range(books):
            level, low, high, fall, peak = 0.0, np.inf, -np.inf, 0.0, 0.0
            top, peak_at, longest = 1, 0, 0
            for bar in range(1, stop - first + 1):
                level += log_growth[first + bar - 1, book]
                low = min(low, level)
                if level >= high:
                    high, top = level, bar
                if level >= peak:
                    if bar - peak_at > 1:
                        longest = max(longest, bar - peak_at)
                    peak, peak_at = level, bar
                else:
                    fall = max(fall, peak - level)
                    longest = max(longest, bar - peak_at)
            figures[cell, book, 0], figures[cell, book, 1] = level, low
            figures[cell, book, 2], figures[cell, book, 3] = high, fall
            figures[cell, book, 4] = longest
            tops[cell, book] = top
    return figures, tops


@njit(cache=True, nogil=True, error_model="numpy")
def simulate_paths(
    rng: np.random.Generator,
    figures: Cube,
    tops: IntVector,
    sizes: IntVector,
    begin_probability: float,
    horizons: IntVector,
    resamples: int,
) -> Cube:
    """Max drawdown, longest time under water and total return of each book in each resample.

    All books follow the same blocks. A path longer than the data goes on with a new block. A
    shorter horizon is the beginning of the same path; with cells of several bars it ends with the
    cell that reaches it. The time under water of a spell that ends within a cell is counted up to
    the cell's last highest bar: less than a cell too long, and exact for cells of one bar.

    Args:
        rng: Random generator; its state moves on.
        figures: (m, k, FIGURES) as `summarise_cells` gives them.
        tops: (m, k) likewise.
        sizes: (m,) bars of each cell.
        begin_probability: Share of cells that begin a block, 1 / mean length in cells.
        horizons: (h,) lengths of the paths in bars, ascending.
        resamples: Number of resamples.

    Returns:
        Shape (h, k, 3, resamples): max drawdown (a fraction, 0 to 1), bars, total return (a
        fraction, -1 where all is lost); no NaN.
    """
    cells, books = tops.shape
    starts, lengths = np.empty(cells, np.int64), np.empty(cells, np.int64)
    state, times = np.empty((books, 3)), np.empty((books, 2), np.int64)
    paths = np.empty((len(horizons), books, 3, resamples))
    for resample in range(resamples):
        state[:], times[:] = 0.0, 0
        bars, reached, block, offset, blocks = 0, 0, 0, 0, 0
        while reached < len(horizons):
            if block == blocks:
                blocks = draw_blocks(rng, cells, begin_probability, starts, lengths)
                block, offset = 0, 0
            cell = (starts[block] + offset) % cells
            _append_cell(figures[cell], tops[cell], bars, state, times)
            bars += sizes[cell]
            offset += 1
            if offset == lengths[block]:
                block, offset = block + 1, 0
            while reached < len(horizons) and bars >= horizons[reached]:
                paths[reached, :, 0, resample] = -np.expm1(-state[:, 2])
                paths[reached, :, 1, resample] = np.maximum(times[:, 1], bars - times[:, 0])
                paths[reached, :, 2, resample] = np.expm1(state[:, 0])
                reached += 1
    return paths


@njit(cache=True, nogil=True, error_model="numpy")
def _append_cell(
    figures: Matrix, tops: IntVector, bars: int, state: Matrix, times: IntVector
) -> None:
    """Continues the path of each book by one cell.

    Args:
        figures: (k, FIGURES) of the cell.
        tops: (k,) of the cell.
        bars: Length of the path before it.
        state: (k, 3) log equity, its peak, and the largest fall from a peak; updated.
        times: (k, 2) bar of the peak, and longest time under water; updated.
    """
    for book in range(len(tops)):
        start, peak = state[book, 0], state[book, 1]
        state[book, 2] = max(state[book, 2], figures[book, 3], peak - start - figures[book, 1])
        times[book, 1] = max(times[book, 1], int(figures[book, 4]))
        if start + figures[book, 2] >= peak:
            top = bars + tops[book]
            if top - times[book, 0] > 1:
                times[book, 1] = max(times[book, 1], top - times[book, 0])
            state[book, 1], times[book, 0] = start + figures[book, 2], top
        state[book, 0] = start + figures[book, 0]

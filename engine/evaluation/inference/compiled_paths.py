"""Equity paths of stationary-bootstrap resamples, compiled by Numba.

The cells of a resample are drawn first; then each book follows them on its own, and keeps only
equity, peak, max drawdown and time under water. Compiled code is kept on disk, as that of
`compiled_resampling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numba import njit

from engine.evaluation.inference.compiled_resampling import draw_blocks

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntMatrix, IntVector, Matrix, Vector

    Cube: TypeAlias = npt.NDArray[np.float64]
    _State: TypeAlias = tuple[float, float, float, int, int, int]

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
    tops: IntMatrix,
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
    books, one_bar_cells = tops.shape[1], sizes.max() == 1
    growth = np.ascontiguousarray(figures[:, :, 0].T)
    path, stops = np.empty(horizons[-1], np.int64), np.empty(len(horizons), np.int64)
    paths = np.empty((len(horizons), books, 3, resamples))
    for resample in range(resamples):
        _draw_path(rng, sizes, begin_probability, horizons, path, stops)
        for book in range(books):
            state = (0.0, 0.0, 0.0, 0, 0, 0)
            for horizon in range(len(horizons)):
                first = stops[horizon - 1] if horizon else 0
                cells = path[first : stops[horizon]]
                if one_bar_cells:
                    state = _follow_bars(growth[book], cells, state)
                else:
                    state = _follow_cells(figures[:, book], tops[:, book], sizes, cells, state)
                level, _, fall, bars, peak_bar, longest = state
                paths[horizon, book, 0, resample] = -np.expm1(-fall)
                paths[horizon, book, 1, resample] = max(longest, bars - peak_bar)
                paths[horizon, book, 2, resample] = np.expm1(level)
    return paths


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_path(
    rng: np.random.Generator,
    sizes: IntVector,
    begin_probability: float,
    horizons: IntVector,
    path: IntVector,
    stops: IntVector,
) -> None:
    """Draws the cells of one path into `path`, and into `stops` how many reach each horizon."""
    cells = len(sizes)
    starts, lengths = np.empty(cells, np.int64), np.empty(cells, np.int64)
    bars, count, reached = 0, 0, 0
    while reached < len(horizons):
        for block in range(draw_blocks(rng, cells, begin_probability, starts, lengths)):
            for offset in range(lengths[block]):
                if reached == len(horizons):
                    return
                cell = starts[block] + offset
                path[count] = cell if cell < cells else cell - cells
                bars += sizes[path[count]]
                count += 1
                while reached < len(horizons) and bars >= horizons[reached]:
                    stops[reached] = count
                    reached += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _follow_bars(growth: Vector, path: IntVector, state: _State) -> _State:
    """Continues one book's path by cells of one bar each.

    Args:
        growth: (m,) log(1 + r) of each bar.
        path: The bars that are appended.
        state: Log equity, its peak, the largest fall from a peak, bars, the bar of the last peak,
            and the longest time under water.
    """
    level, peak, fall, bars, peak_bar, longest = state
    for bar in path:
        step = growth[bar]
        fall = max(fall, peak - level - step)
        level += step
        bars += 1
        if level >= peak:
            if step < 0.0:  # too small a loss to change the level
                longest = max(longest, 1)
            if bars - peak_bar > 1:
                longest = max(longest, bars - peak_bar)
            peak, peak_bar = level, bars
    return level, peak, fall, bars, peak_bar, longest


@njit(cache=True, nogil=True, error_model="numpy")
def _follow_cells(
    figures: Matrix, tops: IntVector, sizes: IntVector, path: IntVector, state: _State
) -> _State:
    """Continues one book's path by cells of several bars; `state` as in `_follow_bars`.

    Args:
        figures: (m, FIGURES) of each cell.
        tops: (m,) likewise.
        sizes: (m,) bars of each cell.
        path: The cells that are appended.
        state: Of the path before them.
    """
    level, peak, fall, bars, peak_bar, longest = state
    for cell in path:
        end, low, high, inner_fall, inner_longest = figures[cell]
        fall = max(fall, inner_fall, peak - level - low)
        longest = max(longest, int(inner_longest))
        if level + high >= peak:
            top = bars + tops[cell]
            if top - peak_bar > 1:
                longest = max(longest, top - peak_bar)
            peak, peak_bar = level + high, top
        level += end
        bars += sizes[cell]
    return level, peak, fall, bars, peak_bar, longest

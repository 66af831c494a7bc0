"""Risk of the path: what may happen on the way, by a joint bootstrap of all books."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.bootstrap import MAX_CELLS, spawn_named_stream
from engine.evaluation.inference.stationary_bootstrap import optimal_block_length
from engine.evaluation.metrics.return_metrics import max_drawdown
from engine.runs.documents.significance_paths import (
    BookPathFigures,
    HorizonFigures,
    PathRiskFigures,
    Quantiles,
    RealisedDrawdownFigures,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from engine.core.types import IntVector, Matrix, Vector

RESAMPLES = 2_000
"""Resampled paths: the standard error of a probability is at most 1.1 per cent."""

HORIZON_YEARS = (1.0, 3.0, 5.0)

MAX_HORIZON_RATIO = 2.0
"""The longest horizon, in lengths of the run: a longer path repeats the same few bars."""

DRAWDOWN_LEVELS_PCT = (20, 30, 50)

MIN_PATH_BARS = 60
"""Below this many bars there is no statement about paths."""

_PARTS = 8
"""Resamples are drawn in so many parts with a random stream each, which threads share."""

_CURVE_LEVELS = tuple(round(0.01 * level, 2) for level in range(1, 100))


def simulate_path_risk(
    returns: pd.DataFrame,
    periods_per_year: float,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    horizon_years: Sequence[float] = HORIZON_YEARS,
) -> PathRiskFigures | None:
    """Distribution of drawdown, time under water and growth over several horizons.

    The bars of all books are drawn together in blocks (stationary bootstrap), so that a market
    that falls falls for all of them. The mean block length is the longest of the optimal ones for
    the strategy's log returns and their squares: the first keeps autocorrelation, the second
    volatility clustering, which deepens drawdowns.

    It assumes that the bars of the run are a sample of one stationary process. The mean is taken
    as observed, with its sampling error: a strategy that was selected by its return has too
    favourable a distribution. A tail that the run has not seen is not in it.

    Series above `MAX_CELLS` bars, or whose longest horizon is, are drawn in cells of equal length
    which number at most `MAX_CELLS` over the longest path. Their drawdowns stay exact; times under
    water are less than a cell too long.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy.
        periods_per_year: Bars a year.
        rng: Its seed determines all draws; its state is unchanged.
        resamples: Number of resamples.
        horizon_years: Horizons, ascending; those longer than `MAX_HORIZON_RATIO` runs are left
            out.

    Returns:
        None below `MIN_PATH_BARS` bars, or where the strategy's returns do not vary.

    Source: Politis & Romano (1994), The Stationary Bootstrap, JASA 89.
    """
    books = [str(book) for book in returns.columns]
    values = returns.to_numpy(dtype=np.float64)
    bars = len(values)
    if bars < MIN_PATH_BARS or np.ptp(values[:, 0]) == 0.0:
        return None
    lengths = {years: max(1, round(years * periods_per_year)) for years in horizon_years}
    kept = {y: length for y, length in lengths.items() if length <= MAX_HORIZON_RATIO * bars}
    paths = resample_paths(values, sorted({*kept.values(), bars}), rng, resamples)
    by_length = paths.by_horizon
    return PathRiskFigures(
        resamples=resamples,
        block_length_bars=paths.block_length_bars,
        cell_bars=paths.cell_bars,
        bars=bars,
        horizons=tuple(
            _describe_horizon(years, length, books, by_length[length])
            for years, length in kept.items()
        ),
        left_out_years=tuple(years for years in lengths if years not in kept),
        realised={
            book: _place_realised(values[:, number], by_length[bars][number, 0])
            for number, book in enumerate(books)
        },
    )


@dataclass(frozen=True)
class ResampledPaths:
    """Paths of all books by the stationary bootstrap.

    Attributes:
        by_horizon: Length in bars -> figures at its end, shape (k books, 3, resamples): max
            drawdown (a fraction), longest time under water (bars), total return (a fraction).
        block_length_bars: Mean length of a block.
        cell_bars: Length of a cell.
    """

    by_horizon: dict[int, npt.NDArray[np.float64]]
    block_length_bars: float
    cell_bars: float


def resample_paths(
    values: Matrix, horizons: Sequence[int], rng: np.random.Generator, resamples: int
) -> ResampledPaths:
    """Draws paths of all books together, see `simulate_path_risk`.

    Args:
        values: Net return of each bar and book, shape (n, k), n >= 2; no NaN. The first column
            decides the length of the blocks.
        horizons: Lengths of the paths in bars, ascending; a shorter one is the beginning of the
            same path.
        rng: Its seed determines all draws; its state is unchanged.
        resamples: Number of paths.
    """
    # Importing Numba takes longer than reading the bars.
    from engine.evaluation.inference.compiled_paths import simulate_paths, summarise_cells

    bars = len(values)
    cells = max(1, min(bars, MAX_CELLS * bars // horizons[-1]))
    edges = np.arange(cells + 1, dtype=np.int64) * bars // cells
    with np.errstate(divide="ignore"):
        log_growth = np.log1p(np.maximum(values, -1.0))
    figures, tops = summarise_cells(log_growth, edges)
    block_cells = _block_length(log_growth[:, 0], edges)
    streams = spawn_named_stream(rng, "paths").spawn(_PARTS)
    sizes = [len(part) for part in np.array_split(np.arange(resamples), _PARTS)]
    stops = np.array(horizons, dtype=np.int64)

    def draw(stream: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
        return simulate_paths(
            stream, figures, tops, np.diff(edges), 1.0 / block_cells, stops, count
        )

    with ThreadPoolExecutor(min(_PARTS, os.cpu_count() or 1)) as pool:
        paths = np.concatenate(list(pool.map(draw, streams, sizes)), axis=-1)
    by_horizon = dict(zip(horizons, paths, strict=True))
    return ResampledPaths(by_horizon, block_cells * bars / cells, bars / cells)


def _block_length(log_growth: Vector, edges: IntVector) -> float:
    """Mean block length in cells: the longest optimal one of log returns and their squares."""
    # All equity lost in one bar: the size of the loss has no finite logarithm.
    finite = np.maximum(log_growth, np.log(1e-3))
    sums = np.add.reduceat(finite, edges[:-1])
    squares = np.add.reduceat(finite**2, edges[:-1])
    lengths = [
        optimal_block_length(series)
        for series in (sums, squares)
        if len(series) >= MIN_PATH_BARS // 2 and np.ptp(series) > 0.0
    ]
    return max([1.0, *lengths])


def _describe_horizon(
    years: float, bars: int, books: Sequence[str], paths: npt.NDArray[np.float64]
) -> HorizonFigures:
    """Args: `paths`, shape (k books, 3 figures, resamples)."""
    strategy, *benchmarks = books
    growth = paths[:, 2]
    return HorizonFigures(
        years=years,
        bars=bars,
        books={book: _describe_book(paths[number]) for number, book in enumerate(books)},
        behind_probability={
            book: float(np.mean(growth[0] < growth[number]))
            for number, book in enumerate(books)
            if book != strategy
        }
        if benchmarks
        else {},
    )


def _describe_book(paths: Matrix) -> BookPathFigures:
    drawdown, under_water, growth = paths
    return BookPathFigures(
        max_drawdown_pct=_quantiles(-100.0 * drawdown),
        longest_drawdown_bars=_quantiles(under_water),
        total_return_pct=_quantiles(100.0 * growth),
        loss_probability=float(np.mean(growth < 0.0)),
        drawdown_probability={
            str(level): float(np.mean(100.0 * drawdown > level)) for level in DRAWDOWN_LEVELS_PCT
        },
    )


def _quantiles(values: Vector) -> Quantiles:
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    return Quantiles(
        **{
            f"p{round(100 * level)}": float(value)
            for level, value in zip(levels, np.quantile(values, levels), strict=True)
        }
    )


def _place_realised(returns: Vector, drawdown: Vector) -> RealisedDrawdownFigures:
    realised = -(max_drawdown(returns) or 0.0)
    # The same bars in another order round differently in the last digits.
    at_least = drawdown >= realised - 1e-12
    return RealisedDrawdownFigures(
        max_drawdown_pct=-100.0 * realised,
        deeper_probability=float(np.mean(at_least)),
        levels=_CURVE_LEVELS,
        quantiles_pct=tuple(np.quantile(-100.0 * drawdown, _CURVE_LEVELS).tolist()),
    )

"""Return and Sharpe ratios of each walk-forward window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.metrics.return_metrics import sharpe_by_window
from engine.runs.documents.analysis import WindowFigures, WindowSummary
from engine.runs.run import BENCHMARK_BOOK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.run import Run


def analyse_windows(run: Run) -> tuple[WindowFigures, ...]:
    """Return and Sharpe ratio over each window's test part, the seeds' as the run kept them."""
    windows = run.manifest.windows
    if not windows:
        return ()
    starts = pd.DatetimeIndex(pd.to_datetime([window.test[0] for window in windows], utc=True))
    rows = starts.searchsorted(pd.DatetimeIndex(run.returns.index), side="right") - 1
    books = [book for book in (STRATEGY_BOOK, BENCHMARK_BOOK) if book in run.returns]
    ratios = sharpe_by_window(
        run.returns[books].to_numpy(dtype=np.float64),
        rows,
        run.metrics.span.periods_per_year,
        run.rates_by_bar,
    )
    seeds = run.significance.seeds
    by_seed = dict(enumerate(seeds.sharpe_by_window if seeds else ()))
    figures = []
    for position, window in enumerate(windows):
        by_book = dict(zip(books, ratios.get(position, ()), strict=False))
        figures.append(
            WindowFigures(
                index=window.index,
                strategy_return_pct=_window_return_pct(run, window.index, STRATEGY_BOOK),
                benchmark_return_pct=_window_return_pct(run, window.index, BENCHMARK_BOOK),
                strategy_sharpe=by_book.get(STRATEGY_BOOK),
                benchmark_sharpe=by_book.get(BENCHMARK_BOOK),
                seed_sharpes=by_seed.get(position, ()),
            )
        )
    return tuple(figures)


def _window_return_pct(run: Run, index: int, book: str) -> float | None:
    """Return from the first to the last bar that the window forecast, both included."""
    predicted = run.predictions
    bars = predicted.loc[
        (predicted["window"] == index) & (predicted["horizon"] == run.horizon), "timestamp"
    ]
    if bars.empty or book not in run.returns:
        return None
    returns = run.returns.loc[bars.min() : bars.max(), book]
    return 100.0 * (float((1.0 + returns).prod()) - 1.0)


def summarise_windows(windows: Sequence[WindowFigures]) -> WindowSummary:
    """Number of windows with a good result, and the median range of the seeds."""
    own = [each.strategy_sharpe for each in windows if each.strategy_sharpe is not None]
    both = [
        (each.strategy_sharpe, each.benchmark_sharpe)
        for each in windows
        if each.strategy_sharpe is not None and each.benchmark_sharpe is not None
    ]
    known = [[ratio for ratio in each.seed_sharpes if ratio is not None] for each in windows]
    ranges = [max(ratios) - min(ratios) for ratios in known if len(ratios) > 1]
    return WindowSummary(
        windows=len(windows),
        with_sharpe=len(own),
        above_zero=sum(ratio > 0 for ratio in own),
        above_benchmark=sum(ratio > other for ratio, other in both),
        median_seed_range=float(np.median(ranges)) if ranges else None,
    )

"""The run from other start dates and without single windows, from its own returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS
from engine.evaluation.metrics.return_metrics import sharpe
from engine.runs.documents.significance_paths import (
    SpreadFigures,
    WindowSubset,
    WindowSubsetFigures,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from engine.core.types import IntVector


def measure_window_subsets(
    returns: pd.DataFrame,
    window_index: IntVector,
    periods_per_year: float,
    *,
    holding: str | None = None,
) -> WindowSubsetFigures | None:
    """Sharpe ratio from each window's start on, and leaving each window out.

    Nothing is trained: a run that began later would have had the same later windows, as they are
    anchored at its first one. Subsets of fewer than `MIN_BARS` bars are left out.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy.
        window_index: Window whose test part holds each bar, shape (n,), ascending.
        periods_per_year: Annualises.
        holding: The column of holding; None where there is none.

    Returns:
        None with a single window.
    """
    windows = np.unique(window_index)
    if len(windows) < 2:
        return None
    own = returns.iloc[:, 0].to_numpy(dtype=np.float64)
    held = None if holding is None else returns[holding].to_numpy(dtype=np.float64)

    def measure(window: int, rows: npt.NDArray[np.bool_]) -> WindowSubset:
        return WindowSubset(
            window=int(window),
            first=returns.index[int(np.argmax(window_index == window))].isoformat(),
            bars=int(rows.sum()),
            sharpe=sharpe(own[rows], periods_per_year),
            holding_sharpe=None if held is None else sharpe(held[rows], periods_per_year),
        )

    starts, without = (
        tuple(
            measure(window, rows)
            for window in windows.tolist()
            if (rows := keep(window_index, window)).sum() >= MIN_BARS
        )
        for keep in (np.greater_equal, np.not_equal)
    )
    return WindowSubsetFigures(
        starts=starts,
        without=without,
        starts_spread=_spread_of(starts),
        without_spread=_spread_of(without),
    )


def _spread_of(subsets: Sequence[WindowSubset]) -> SpreadFigures:
    return describe_spread(
        [each.sharpe for each in subsets], [each.holding_sharpe for each in subsets]
    )


def describe_spread(
    ratios: Sequence[float | None], holding: Sequence[float | None]
) -> SpreadFigures:
    """Spread of the Sharpe ratios of several paths.

    Args:
        ratios: Of each path; None where its returns do not vary, which counts as not above 0.
        holding: Of holding on the same bars, for each path; None where it is not known.
    """
    known = np.array([ratio for ratio in ratios if ratio is not None])
    if not len(known):
        return SpreadFigures()
    low, quarter, middle, three_quarters, high = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
    compared = [
        ratio is not None and ratio > other
        for ratio, other in zip(ratios, holding, strict=True)
        if other is not None
    ]
    return SpreadFigures(
        minimum=float(low),
        p25=float(quarter),
        median=float(middle),
        p75=float(three_quarters),
        maximum=float(high),
        positive_share=float(np.sum(known > 0)) / len(ratios),
        above_holding_share=float(np.mean(compared)) if compared else None,
    )

"""Every window's arrays, built again from a history that ends before its test part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import BacktestError, LookaheadError
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.output_pairs import pair_tasks
from engine.pipeline.steps import make_window_tasks

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.features.resolutions import CoarseFeatures
    from engine.leakage.comparison import OutputComparison
    from engine.pipeline.result import BacktestResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.datasets import FeatureHistory
    from engine.training.panel_rows import PanelRows


def probe_windows(result: BacktestResult, comparison: OutputComparison) -> None:
    """Compares the arrays of each window with those of a history without its test part.

    The history keeps the run's own features, which are probed by themselves: what is tested here
    is what a window makes of them, its scaling, labels and choice of rows.

    Args:
        result: The run.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: An array depends on the test part of its window or on what comes after it.
    """
    for window in result.prepared.windows:
        _probe_window(result, window, comparison)


def _probe_window(
    result: BacktestResult, window: WalkForwardWindow, comparison: OutputComparison
) -> None:
    real, count = result.prepared, window.test.start
    last = real.feature_history.features.timestamps[count - 1]
    known = replace(
        real,
        market=real.market.until(last),
        feature_history=first_bars(real.feature_history, count),
    )
    own = [task for task in result.fits.tasks if task.window == window.index]
    try:
        others = make_window_tasks(result.spec, known, [window])
    except (BacktestError, IndexError, ValueError) as error:
        raise LookaheadError(
            f"Look-ahead: the arrays of window {window.index} need what comes after "
            f"{format_bar(last)}",
            expected="arrays of the bars up to there alone",
            found=f"{type(error).__name__}: {error}",
            where=f"training arrays: rows in window {window.index}",
            fix=FIXES["training arrays"],
        ) from error
    for pair in pair_tasks(own, others, window, real):
        comparison.require_equal(pair, last)


def first_bars(history: FeatureHistory, count: int) -> FeatureHistory:
    """The features and returns that are known at the close of the bar `count` - 1.

    The time of the bar after it is there as well: it is known to be the first one of a test part.
    """
    features = history.features
    return replace(
        history,
        features=replace(
            features, timestamps=features.timestamps[: count + 1], values=features.values[:count]
        ),
        forward_returns={
            bars: _known_labels(ahead, count, bars, history)
            for bars, ahead in history.forward_returns.items()
        },
        uncompared={
            bars: _without_unknown(ahead, count, bars, history.panel)
            for bars, ahead in history.uncompared.items()
        },
        trailing_returns={
            bars: behind.iloc[:count] for bars, behind in history.trailing_returns.items()
        },
        coarse=tuple(_first_coarse_bars(coarse, count) for coarse in history.coarse),
        panel=None if history.panel is None else history.panel.first_rows(count),
    )


def _known_labels(ahead: WideFrame, count: int, bars: int, history: FeatureHistory) -> WideFrame:
    """The first labels; those that compare symbols of the returns that are known."""
    if history.uncompared:
        known = _without_unknown(history.uncompared[bars], count, bars, history.panel)
        return history.target.relate(known)
    return _without_unknown(ahead, count, bars, history.panel)


def _without_unknown(
    ahead: WideFrame, count: int, bars: int, panel: PanelRows | None
) -> WideFrame:
    """The first labels, NaN where they end after the last bar."""
    known = ahead.to_numpy()[:count].copy()
    known[max(0, count - bars) :] = np.nan
    for place, symbol in enumerate(ahead.columns if panel is not None else ()):
        own = panel.own_rows(symbol)  # type: ignore[union-attr] # no columns without a panel
        known[own[own < count][-bars:], place] = np.nan
    return pd.DataFrame(known, index=ahead.index[:count], columns=ahead.columns)


def _first_coarse_bars(coarse: CoarseFeatures, count: int) -> CoarseFeatures:
    complete = int(coarse.latest[count - 1]) + 1
    features = coarse.features
    return replace(
        coarse,
        features=replace(
            features,
            timestamps=features.timestamps[:complete],
            values=features.values[:complete],
        ),
        latest=coarse.latest[:count],
    )

"""Every window: its edges before other bars, its arrays from a history without its test part."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import BacktestError, LookaheadError
from engine.core.randomness import derive_seed
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.mirrored_bars import mirror_after
from engine.leakage.output_pairs import pair_tasks, pair_windows
from engine.pipeline.feature_history import build_history
from engine.pipeline.schedules import make_windows
from engine.pipeline.steps import make_window_tasks

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.features.resolutions import CoarseFeatures
    from engine.leakage.comparison import OutputComparison
    from engine.leakage.synthetic_bars import SyntheticFuture
    from engine.pipeline.result import BacktestResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.feature_history import FeatureHistory
    from engine.training.panel_rows import PanelRows


N_EDGE_FUTURES = 6
"""Futures before which the windows are cut again, beside a mirrored one, which answers to every
direction, and that of the first cutoff: an edge that is one of two by the bars of a test part is
alike before all of them in less than 1 % of runs."""


def probe_edges(
    result: BacktestResult, synthetic_future: SyntheticFuture, comparison: OutputComparison
) -> None:
    """Cuts the windows again from histories with other bars from the first test bar on.

    The bars of every test part are other ones, and no window may depend on any of them: it is cut
    by times, and by the bars that the longest feature needs, which alone is built.

    Args:
        result: The run.
        synthetic_future: Of its bars.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: An edge of a window depends on the bars.
    """
    spec, real = result.spec, result.prepared
    row = real.windows[0].test.start - 1
    last = real.feature_history.features.timestamps[row]
    longest = max(spec.features, key=lambda feature: feature.warmup)
    few = spec.model_copy(update={"features": (longest,)})
    rng = np.random.default_rng(derive_seed(spec.seed, "certificate", "edges"))
    drawn = (synthetic_future.replace_after(row, rng) for _ in range(N_EDGE_FUTURES))
    for market in (mirror_after(real.market, row), *drawn):
        cut = make_windows(few, build_history(few, market), Fraction(0))
        comparison.require_equal(pair_windows(real, cut), last)


def probe_windows(result: BacktestResult, comparison: OutputComparison) -> None:
    """Compares the arrays of each window with those of a history without its test part.

    The history keeps the run's own features, which are probed by themselves: what is tested here
    is what a window makes of them, its scaling, labels and choice of rows. The bars that were
    prepared last are mirrored from the first test bar on: what is read beside the history, such
    as a variable that holds the bars, has the other direction in every test part.

    Args:
        result: The run.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: An array depends on the test part of its window or on what comes after it.
    """
    real = result.prepared
    build_history(result.spec, mirror_after(real.market, real.windows[0].test.start - 1))
    for window in real.windows:
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
    if panel is not None:
        for place, symbol in enumerate(ahead.columns):
            own = panel.own_rows(symbol)
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

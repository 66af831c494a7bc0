"""The fits that trade a strategy from the newest complete bar on."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.home import backtest_home, prepare_home
from engine.core.progress import NullProgress, Progress
from engine.live.strategy_argument import require_market, resolve_strategy
from engine.pipeline.executor import make_executor
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import make_window_tasks
from engine.training.results import report_refused_fits, run_fits
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from engine.core.errors import TrainingError
    from engine.data import Market
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.results import FitResults
    from engine.training.task import FitTask


@dataclass(frozen=True, eq=False)
class FittedStrategy:
    """The fitted models of one window, with which a strategy is traded until the next begins.

    Attributes:
        spec: The strategy.
        window: Number of the window, as in a run on these bars.
        first_test: First bar that the window trades.
        first_bar: First bar of the history, on which exponential averages depend.
        feature_names: Names of the features, in the order of the columns.
        tasks: The fits, one a symbol, seed and, where they are fitted apart, horizon.
        models: For each fit its model, or the error of one that was left out.
        trained: Number of costly fits that were trained, and not read from the store.
    """

    spec: Strategy
    window: int
    first_test: pd.Timestamp
    first_bar: pd.Timestamp
    feature_names: tuple[str, ...]
    tasks: tuple[FitTask, ...]
    models: tuple[FittedModel | TrainingError, ...]
    trained: int


def fit(
    spec: Strategy | Path | str,
    market: Market,
    *,
    home: Path | str | None = None,
    workers: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> FittedStrategy:
    """The models that a user trades from the newest complete bar on.

    They are those of the newest window of a run on the same bars, by the same rule, key and store:
    the first test bar of a window is `windows.test` after that of the window before, counted from
    the first, and the newest bar is a test bar of the newest window. Its validation part, the
    `windows.validation` before its first test bar, chooses the epoch or the penalty and is not
    trained on; the train part is `windows.train` before that. As many bars as the longest horizon,
    and `windows.embargo`, are left out between the parts, so that every return that a fit learns
    from is known before the first test bar. So a further bar trains nothing until a window begins.

    Args:
        spec: The strategy, or the path of its file.
        market: Bars, the last of them complete.
        home: Folder of caches and fits; by default BACKTEST_HOME, or `.backtest` in the working
            directory.
        workers: Processes to train in, instead of `compute.workers`.
        fresh: Train the fits also where they are stored.
        progress: Receives progress and notices.

    Raises:
        UsageError: No window fits into the bars, or an argument is of another type; as a
            StorageError the home cannot be written.
        TrainingError: A fit failed, and the strategy does not leave such a fit out.
    """
    spec = resolve_strategy(spec)
    require_market(market)
    prepared = prepare_data(spec, market)
    fits = fit_newest_window(
        spec,
        prepared,
        home=backtest_home(home),
        workers=workers,
        fresh=fresh,
        progress=progress or NullProgress(),
    )
    window, history = prepared.windows[-1], prepared.feature_history
    stamps = history.features.timestamps
    tasks, models = fits.for_window(STRATEGY_BOOK, window.index)
    return FittedStrategy(
        spec,
        window.index,
        stamps[window.test.start],
        stamps[0],
        history.feature_names,
        tuple(tasks),
        tuple(models),
        fits.trained,
    )


def fit_newest_window(
    spec: Strategy,
    prepared: PreparedData,
    *,
    home: Path,
    workers: int | None,
    progress: Progress,
    fresh: bool = False,
) -> FitResults:
    """The strategy's fits of the newest window, and of those that they start warm from."""
    windows = prepared.windows if _is_chained(spec) else prepared.windows[-1:]
    return fit_windows(
        spec, prepared, windows, home=home, workers=workers, progress=progress, fresh=fresh
    )


def fit_windows(
    spec: Strategy,
    prepared: PreparedData,
    windows: Sequence[WalkForwardWindow],
    *,
    home: Path,
    workers: int | None,
    progress: Progress,
    fresh: bool = False,
) -> FitResults:
    """The strategy's fits of some windows, read from the store of `home` where they are there.

    Args:
        spec: The strategy.
        prepared: Its bars.
        windows: Those of `prepared`, or some of them.
        home: Folder of caches and fits.
        workers: Processes to train in; None for `compute.workers`.
        progress: Receives progress and notices.
        fresh: Train the fits also where they are stored.

    Raises:
        TrainingError: A fit failed, and the strategy does not leave such a fit out.
        StorageError: The home cannot be written.
    """
    tasks = [
        task for task in make_window_tasks(spec, prepared, windows) if task.book == STRATEGY_BOOK
    ]
    prepare_home(home)
    store = FitStore(home / "fits")
    with (
        report_refused_fits(store, progress),
        closing(make_executor(spec, workers, home)) as executor,
    ):
        return run_fits(
            tasks,
            executor,
            store,
            progress,
            ignore_stored=fresh,
            skip_failures=spec.on_failure == "skip",
        )


def _is_chained(spec: Strategy) -> bool:
    """Whether the fit of a window starts from that of the window before."""
    return spec.training.warm_start is not None

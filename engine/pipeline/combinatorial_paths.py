"""Combinatorial purged cross-validation: the strategy fitted on every choice of groups."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.pipeline.part_progress import PartProgress
from engine.pipeline.steps import decide_model_positions, simulate_books
from engine.signals.benchmarks import compute_benchmark_weights
from engine.signals.config import BuyAndHold
from engine.splits.combinatorial import assign_paths
from engine.training.forecast import predict_window
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import concat_out_of_sample
from engine.training.results import run_fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.progress import Progress
    from engine.core.types import WideFrame
    from engine.models import TrainingSet
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.combinatorial_splits import CombinatorialData
    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.combinatorial import GroupSplit, PurgedWindow
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.forecast import Forecast
    from engine.training.store import FitStore
    from engine.training.task import FitTask

_TaskForecast: TypeAlias = "tuple[FitTask, Forecast | TrainingError]"

_Forecasts: TypeAlias = "defaultdict[tuple[int, int], list[_TaskForecast]]"
"""Split and test group -> what each fit of the split predicts of the group."""

_BATCH_BYTES = 512 << 20
"""Bytes of the training sets that are held at a time; fits of one batch share the workers."""


@dataclass(frozen=True, eq=False)
class CombinatorialRun:
    """The paths of the strategy over all groups.

    Attributes:
        data: The splits.
        returns: Index timestamp, all bars of the groups; a column a path, from 0: net return of
            the bar.
        holding: Net returns of buy and hold on the same bars.
        left_out: Number of fits that were left out.
    """

    data: CombinatorialData
    returns: pd.DataFrame
    holding: pd.Series[float]
    left_out: int


def run_combinatorial_paths(
    spec: Strategy,
    data: CombinatorialData,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> CombinatorialRun:
    """Fits each split, forecasts its test groups, and trades the paths.

    Scaling, thresholds and intervals of a group are those of the split that forecasts it. A fit is
    stored as soon as it is finished, under the same kind of key as those of the run, so that an
    interrupted run goes on where it stopped and a second one trains nothing. No fit starts from
    the weights of another, which has seen its test bars: `training.warm_start` is ignored.

    Args:
        spec: The strategy.
        data: As `prepare_combinatorial_data` gives it.
        executor: Who trains.
        store: Where fits are kept.
        progress: Gets the number of costly fits over all splits that are done.
        fresh: Train every fit, also those that are stored.

    Raises:
        TrainingError: A fit failed, unless the strategy leaves failures out.
    """
    forecasts: _Forecasts = defaultdict(list)
    finished = left_out = 0
    for batch in _batches(data):
        tasks = [task for split in batch for task in _make_tasks(spec, data, split)]
        fits = run_fits(
            tasks,
            executor,
            store,
            PartProgress(progress, finished, data.fits, partial(_describe_fits, data)),
            ignore_stored=fresh,
            skip_failures=spec.on_failure == "skip",
        )
        finished += len({task.fit_identity for task in tasks})
        left_out += len(
            {
                task.fit_identity
                for task, outcome in zip(tasks, fits.outcomes, strict=True)
                if isinstance(outcome, TrainingError)
            }
        )
        for task, outcome in zip(tasks, fits.outcomes, strict=True):
            for window in data.splits[task.window].windows():
                forecast = _forecast_group(data, task, outcome, window)
                forecasts[window.split, window.index].append(forecast)
    weights = {
        str(number): _decide_path(spec, data.prepared, path, forecasts)
        for number, path in enumerate(assign_paths(data.splits))
    }
    held = compute_benchmark_weights(
        next(each for each in spec.benchmarks if isinstance(each, BuyAndHold)),
        data.prepared.target_close,
        data.prepared.span,
        spec.benchmark_weight,
        eligible=data.prepared.eligible,
    )
    books = simulate_books(spec, data.prepared, {**weights, BUY_AND_HOLD: held})
    returns = pd.DataFrame({int(path): books[path].returns for path in weights})
    return CombinatorialRun(data, returns, books[BUY_AND_HOLD].returns, left_out)


def _batches(data: CombinatorialData) -> Iterator[tuple[GroupSplit, ...]]:
    """The splits in batches whose training sets are held in memory together."""
    history = data.prepared.feature_history
    columns = history.features.values.shape[1] + 4  # features in single, returns in double
    if not history.own_inputs:  # the model of each symbol has the features of all
        columns *= len(data.prepared.targets)
    size = max(1, _BATCH_BYTES // (4 * columns * len(history.features.timestamps)))
    for first in range(0, len(data.splits), size):
        yield data.splits[first : first + size]


def _make_tasks(spec: Strategy, data: CombinatorialData, split: GroupSplit) -> list[FitTask]:
    """The fits of the strategy's model on one split; no array holds a test bar of a symbol."""
    window = replace(split.windows()[0], index=split.index)
    tasks = make_fit_tasks(
        {STRATEGY_BOOK: spec.forecasters()[STRATEGY_BOOK]},
        data.prepared.feature_history,
        [window],
        data.prepared.targets,
        training=spec.training.model_copy(update={"warm_start": None}),
        seeds=spec.seeds,
        seed=spec.seed,
        deploy=spec.deploy,
        pooled=spec.scope == "pooled",
        joint=spec.scope == "joint",
        without_gaps=True,
    )
    groups = " and ".join(map(str, split.test_groups))
    return [
        replace(
            task,
            # In progress and errors; the key of a fit does not depend on it.
            book=f"{STRATEGY_BOOK}, test groups {groups},",
            seed=derive_seed(task.seed, "groups", *split.test_groups),
        )
        for task in tasks
    ]


def _forecast_group(
    data: CombinatorialData,
    task: FitTask,
    outcome: FittedModel | TrainingError,
    window: PurgedWindow,
) -> _TaskForecast:
    """What one fit predicts of a test group, beside the task without its arrays."""
    light = replace(task, window=window.index, training_set=_without_rows(task.training_set))
    if isinstance(outcome, TrainingError):
        return light, outcome
    history = data.prepared.feature_history
    return light, predict_window(outcome, history, task.symbol, window.test)


def _without_rows(training_set: TrainingSet) -> TrainingSet:
    """What remains of a training set for a forecast: its horizons."""
    return replace(
        training_set,
        **{
            name: getattr(training_set, name)[:0].copy()
            for name in ("inputs", "target", "trailing", "train", "validation")
        },
        coarse=(),
    )


def _decide_path(
    spec: Strategy,
    prepared: PreparedData,
    path: Sequence[PurgedWindow],
    forecasts: _Forecasts,
) -> WideFrame:
    """The target weights over all groups, each forecast by the split of the path."""
    pairs = [pair for window in path for pair in forecasts[window.split, window.index]]
    predictions = concat_out_of_sample(
        prepared.feature_history, path, [task for task, _ in pairs], [each for _, each in pairs]
    )
    return decide_model_positions(spec, prepared, predictions)


def _describe_fits(data: CombinatorialData, what: str) -> str:
    """How many fits of the batch came from where, beside the number of splits."""
    return f"{len(data.splits)} combinatorial splits, {what.rpartition('windows, ')[2]}"

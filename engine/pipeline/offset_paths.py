"""The strategy under further schedules of windows, trained and traded like the run itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.pipeline.part_progress import PartProgress
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_model_positions,
    make_window_tasks,
    predict_windows,
    simulate_books,
)
from engine.training.results import run_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.progress import Progress
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore


@dataclass(frozen=True, eq=False)
class OffsetRun:
    """The strategy under one further schedule.

    Attributes:
        offset: Its number, from 1.
        prepared: Bars, features and the windows of the schedule.
        returns: Net return of each of its out-of-sample bars.
        left_out: Number of fits that were left out.
    """

    offset: int
    prepared: PreparedData
    returns: pd.Series[float]
    left_out: int


def run_offset_paths(
    spec: Strategy,
    delayed: Sequence[PreparedData],
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> list[OffsetRun]:
    """Fits, predicts, decides and simulates the strategy's book under each schedule.

    The stages are those of the run. A fit is stored as soon as it is finished, under the same kind
    of key, so that an interrupted run goes on where it stopped and a second one trains nothing.
    One schedule is held in memory at a time.

    Args:
        spec: The strategy.
        delayed: As `prepare_delayed_data` gives them.
        executor: Who trains.
        store: Where fits are kept.
        progress: Gets the number of costly fits over all schedules that are done.
        fresh: Train every fit, also those that are stored.

    Raises:
        TrainingError: A fit failed, unless the strategy leaves failures out.
    """
    windows = sum(len(prepared.windows) for prepared in delayed)
    finished = 0
    runs = []
    for offset, prepared in enumerate(delayed, start=1):
        label = f"offset {offset} of {spec.paths.offsets}"
        tasks = [
            task
            for task in make_window_tasks(spec, prepared, prepared.windows)
            if task.book == STRATEGY_BOOK
        ]
        per_window = len(tasks) // len(prepared.windows)
        # The label is in progress and errors; the key of a fit does not depend on it.
        fits = run_fits(
            [replace(task, book=f"{STRATEGY_BOOK}, {label},") for task in tasks],
            executor,
            store,
            PartProgress(
                progress,
                finished * per_window,
                windows * per_window,
                f"{label}, {{}}".format,
                line_prefix=f"{label}: ",
            ),
            ignore_stored=fresh,
            skip_failures=spec.on_failure == "skip",
        )
        fits = replace(fits, tasks=tasks)
        fits = replace(fits, forecasts=predict_windows(prepared, fits))
        predictions = assemble_strategy_predictions(prepared, fits)
        weights = {STRATEGY_BOOK: decide_model_positions(spec, prepared, predictions)}
        books = simulate_books(spec, prepared, weights)
        finished += len(prepared.windows)
        runs.append(OffsetRun(offset, prepared, books[STRATEGY_BOOK].returns, len(fits.failures)))
    return runs

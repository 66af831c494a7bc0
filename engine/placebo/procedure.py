"""The path of a strategy on one market: fits, forecasts, decisions, fills and the Sharpe ratio."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.metrics import sharpe
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
    from engine.core.progress import Progress
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore


def measure_procedure(
    spec: Strategy,
    prepared: PreparedData,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    number: int,
    total: int,
) -> float:
    """Annualised Sharpe ratio of the strategy's book above the risk-free rate, as in a run.

    Every window, seed and trial of `tune` is fitted; 0 where the book never trades.

    Args:
        spec: The strategy.
        prepared: The market.
        executor: Who trains.
        store: Where fits are kept, so that an interrupted market goes on.
        progress: Gets the costly fits of all markets that are done.
        number: Of the market, from 1.
        total: Number of markets.

    Raises:
        TrainingError: A fit failed, unless the strategy leaves failures out.
    """
    label = f"market {number} of {total}"
    tasks = [
        task
        for task in make_window_tasks(spec, prepared, prepared.windows)
        if task.book == STRATEGY_BOOK
    ]
    fits = run_fits(
        [replace(task, book=f"{STRATEGY_BOOK}, {label},") for task in tasks],
        executor,
        store,
        PartProgress(
            progress,
            (number - 1) * len(tasks),
            total * len(tasks),
            f"{label}, {{}}".format,
            line_prefix=f"{label}: ",
        ),
        skip_failures=spec.on_failure == "skip",
    )
    fits = replace(fits, tasks=tasks)
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    weights = decide_model_positions(spec, prepared, assemble_strategy_predictions(prepared, fits))
    book = simulate_books(spec, prepared, {STRATEGY_BOOK: weights})[STRATEGY_BOOK]
    returns = prepared.rates_by_bar.excess_values(np.asarray(book.returns, dtype=np.float64))
    return sharpe(returns, prepared.market.periods_per_year) or 0.0

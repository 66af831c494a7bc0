"""Which fits a run needs: every book's model, window by window, seed by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.artifacts import seed_of
from engine.refit.problems import problem_of
from engine.refit.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.models import Forecaster, Training
    from engine.refit.problems import History
    from engine.windows.walk_forward import Window


def plan(
    models: Mapping[str, Forecaster],
    history: History,
    windows: Sequence[Window],
    symbols: Sequence[str],
    *,
    training: Training,
    seeds: int,
    seed: int,
) -> list[Task]:
    """All tasks of a run, windows in time order.

    Every model meets the same rows: sequences of the longest lookback fit in front of the first.
    What is not trained from random weights is fitted once, not once a seed.

    Args:
        models: Book -> who forecasts for it.
        history: What the windows are cut from.
        windows: Of the whole run.
        symbols: Whose returns are forecast.
        training: How networks are trained.
        seeds: Fits of a network, each from its own seed.
        seed: The strategy's one seed.
    """
    lookback = max(model.lookback for model in models.values())
    tasks = []
    for window in windows:
        for symbol in symbols:
            problem = problem_of(history, symbol, window, lookback)
            first_test = history.features.timestamps[window.test.start].isoformat()
            tasks += [
                Task(
                    book=book,
                    symbol=symbol,
                    window=window.index,
                    member=member,
                    seed=seed_of(seed, "fit", book, symbol, first_test, member),
                    model=model,
                    training=training,
                    problem=problem,
                )
                for book, model in models.items()
                for member in range(seeds if model.random else 1)
            ]
    return tasks

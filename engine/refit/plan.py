"""Which fits a run needs: every book's model, window by window, seed by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.artifacts import seed_of
from engine.refit.problems import for_horizons, problem_of
from engine.refit.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.features.spec import TargetSpec
    from engine.models import Forecaster, Problem, Training
    from engine.refit.problems import History
    from engine.windows.walk_forward import Window

STRATEGY = "strategy"
"""The book whose model forecasts every horizon; all others forecast the traded one."""


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
    What is not trained from random weights is fitted once, not once a seed. The strategy's own
    model forecasts every horizon of the target, its opponents the traded one.

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
    target = history.target
    tasks = []
    for window in windows:
        for symbol in symbols:
            traded = problem_of(history, symbol, window, lookback)
            own = [_over(traded, history, symbol, window, asked) for asked in _asked(target)]
            first_test = history.features.timestamps[window.test.start].isoformat()
            tasks += [
                Task(
                    book=book,
                    symbol=symbol,
                    window=window.index,
                    member=member,
                    seed=seed_of(
                        *(seed, "fit", book, symbol, first_test, member),
                        *_further(problem, target),
                    ),
                    model=model,
                    training=training,
                    problem=problem,
                    horizons=problem.horizons if book == STRATEGY and target.several else (),
                )
                for book, model in models.items()
                for problem in (own if book == STRATEGY else [traded])
                for member in range(seeds if model.random else 1)
            ]
    return tasks


def _asked(target: TargetSpec) -> list[tuple[int, ...]]:
    """The horizons of each fit of the strategy's model."""
    if target.strategy == "direct":
        return [(bars,) for bars in target.forecast]
    return [target.forecast]


def _over(
    traded: Problem, history: History, symbol: str, window: Window, horizons: tuple[int, ...]
) -> Problem:
    """The problem over these horizons; the traded one is shared with the opponents."""
    recursive = history.target.strategy == "recursive"
    if horizons == traded.horizons and not recursive:
        return traded
    return for_horizons(traded, history, symbol, window, horizons, recursive=recursive)


def _further(problem: Problem, target: TargetSpec) -> tuple[str, ...]:
    """Names of a seed beyond the book's: further horizons leave the traded one's seed alone."""
    if target.horizon in problem.horizons:
        return ()
    return (f"horizon {problem.horizons[0]}",)

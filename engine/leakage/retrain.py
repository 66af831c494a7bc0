"""Retrains a window whose bars after a cutoff were altered, or loads the stored refit."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from engine.core.errors import LookaheadError, TrainingError
from engine.training.results import run_fits
from engine.training.scheduler import FitScheduler
from engine.training.worker import fit_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.progress import Progress
    from engine.models import Forecast
    from engine.training.executors.base import Executor
    from engine.training.results import FitResults
    from engine.training.store import FitStore
    from engine.training.task import FitTask


@dataclass(frozen=True, eq=False)
class RefitPair:
    """One fit and its refit on altered bars.

    Attributes:
        original: The run's task.
        perturbed: The same one on altered bars after the cutoff.
        label: Which cutoff; chains of different cutoffs are different chains.
    """

    original: FitTask
    perturbed: FitTask
    label: str


def retrain(
    pairs: Sequence[RefitPair],
    fits: FitResults,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> list[Forecast | TrainingError]:
    """Retrains all pairs in one batch, so that workers start once or not at all.

    One that starts warm goes on from the run's own fit of the window before, which its cutoff does
    not change.

    Args:
        pairs: Fits to make.
        fits: Of the run.
        executor: Who trains.
        store: Where they are kept like any other fit.
        progress: How many are done.
        fresh: Train them although they are stored. Those that start warm are looked for
            nevertheless: the fits before them are the run's, and not to be made once more.
    """
    lines = [[*_warm_start_chain(fits, pair.original), pair.perturbed] for pair in pairs]
    tasks = [
        replace(task, book=f"{task.book}, {pair.label},")
        for pair, line in zip(pairs, lines, strict=True)
        for task in line
    ]
    if not tasks:
        return []
    ignore_stored = fresh and not any(task.warm_start_chain for task in tasks)
    result = run_fits(
        tasks,
        executor,
        store,
        _AdvanceOnlyProgress(progress),
        ignore_stored=ignore_stored,
        skip_failures=True,
    )
    return [result.outcomes[end - 1] for end in accumulate(len(line) for line in lines)]


def retrain_both(
    pair: RefitPair, fits: FitResults, executor: Executor
) -> tuple[Forecast | TrainingError, Forecast | TrainingError]:
    """Trains the fit on the real and on the altered bars now, whatever is stored.

    A stored fit may come from a machine that rounds differently; that is no look-ahead.

    Raises:
        LookaheadError: The same fit on the same bars does not come out twice: nothing can be
            compared.
    """
    before = _warm_start_chain(fits, pair.original)
    lasts = {"first": pair.original, "second": pair.original, "other": pair.perturbed}
    tasks = [
        replace(task, book=f"{task.book}, {label},")
        for label, last in lasts.items()
        for task in (*before, last)
    ]
    outcome_of = {id(task): result for task, result in zip(fits.tasks, fits.outcomes, strict=True)}
    known = [outcome_of[id(task)] for task in before]
    length = len(before) + 1

    def found(place: int, _: int | None) -> Forecast | None:
        within = place % length
        result = known[within] if within < len(known) else None
        return None if isinstance(result, TrainingError) else result

    with closing(executor.run_tasks(FitScheduler(tasks, found))) as finished:
        result = dict(finished)
    first, second, other = (result[place * length - 1] for place in (1, 2, 3))
    if not _same_forecast(first, second):
        raise LookaheadError(
            "A fit does not repeat itself, so that look-ahead cannot be distinguished from chance",
            expected="the same forecasts from the same arrays and the same seed",
            found="other bits the second time",
            where=f"predictions: {pair.original}",
            fix="take the cpu, or settings under which the device repeats its own results",
        )
    return first, other


def fit_in_process(task: FitTask) -> Forecast | TrainingError:
    """Fits a cheap model in this process."""
    try:
        return fit_task(task)
    except TrainingError as error:
        return error


def _same_forecast(first: Forecast | TrainingError, second: Forecast | TrainingError) -> bool:
    if isinstance(first, TrainingError) or isinstance(second, TrainingError):
        return isinstance(first, TrainingError) and isinstance(second, TrainingError)
    parts = ("train", "validation", "test")
    return all(getattr(first, part).tobytes() == getattr(second, part).tobytes() for part in parts)


def _warm_start_chain(fits: FitResults, task: FitTask) -> list[FitTask]:
    """The run's fits that this one warm-starts from, oldest first; none for a cold start."""
    if task.warm_start_chain is None:
        return []
    line: list[FitTask] = []
    for earlier, outcome in zip(fits.tasks, fits.outcomes, strict=True):
        if earlier.warm_start_chain == task.warm_start_chain and earlier.window < task.window:
            # After a fit that was left out the next one starts from scratch.
            line = [] if isinstance(outcome, TrainingError) else [*line, earlier]
    return line


class _AdvanceOnlyProgress:
    """Forwards progress only; notices were given when the run was fitted."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def stage(self, name: str) -> None:
        """Ignored: the stage goes on."""

    def notice(self, text: str) -> None:
        """Ignored."""

    def line(self, text: str) -> None:
        """Ignored, for the same reason."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Forwarded."""
        self._progress.advance(done, total, what)

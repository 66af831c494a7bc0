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
    from collections.abc import Mapping, Sequence

    from engine.core.progress import Progress
    from engine.models.fitted_model import FittedModel
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
) -> list[FittedModel | TrainingError]:
    """Retrains all pairs in one batch, so that workers start once or not at all.

    One that starts warm goes on from the run's own fit of the window before, which its cutoff does
    not change. The store holds a refit under a key of its own: by its arrays it is the fit of the
    run, and what is to be found out is whether anything beside them changed it. A stored fit and
    its refit are compared again in every run, and made once.

    Args:
        pairs: Fits to make.
        fits: Of the run.
        executor: Who trains.
        store: Where they are kept like any other fit.
        progress: How many are done.
        fresh: Train them although they are stored. Those that start warm are looked for
            nevertheless: the fits before them are the run's, and not to be made once more.
    """
    lines = [
        [*_warm_start_chain(fits, pair.original), replace(pair.perturbed, refit=pair.label)]
        for pair in pairs
    ]
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


def retrain_twice(
    task: FitTask, fits: FitResults, executor: Executor
) -> FittedModel | TrainingError:
    """Trains a fit of the run now, whatever is stored.

    A stored fit may come from a machine that rounds differently; that is no look-ahead.

    Raises:
        LookaheadError: The same fit does not come out twice: nothing can be compared.
    """
    first, second = retrain_now({"first": task, "second": task}, task, fits, executor)
    if not _same_predictions(first, second):
        raise LookaheadError(
            "A fit does not repeat itself, so that look-ahead cannot be distinguished from chance",
            expected="the same forecasts from the same arrays and the same seed",
            found="other bits the second time",
            where=f"predictions: {task}",
            fix="take the cpu, or settings under which the device repeats its own results",
        )
    return first


def retrain_now(
    tasks: Mapping[str, FitTask], original: FitTask, fits: FitResults, executor: Executor
) -> list[FittedModel | TrainingError]:
    """Trains tasks now, whatever is stored; a warm start goes on from the run's own fits.

    Args:
        tasks: Label -> task.
        original: The run's task that they repeat.
        fits: Of the run.
        executor: Who trains.
    """
    before = _warm_start_chain(fits, original)
    chained = [
        replace(task, book=f"{task.book}, {label},")
        for label, last in tasks.items()
        for task in (*before, last)
    ]
    outcome_of = {id(task): result for task, result in zip(fits.tasks, fits.outcomes, strict=True)}
    known = [outcome_of[id(task)] for task in before]
    length = len(before) + 1

    def found(place: int, _: int | None) -> FittedModel | None:
        within = place % length
        result = known[within] if within < len(known) else None
        return None if isinstance(result, TrainingError) else result

    with closing(executor.run_tasks(FitScheduler(chained, found))) as finished:
        results = dict(finished)
    places = [place * length - 1 for place in range(1, len(tasks) + 1)]
    return [chained[place].own_model(results[place]) for place in places]


def fit_in_process(task: FitTask) -> FittedModel | TrainingError:
    """Fits a cheap model in this process."""
    try:
        return task.own_model(fit_task(task))
    except TrainingError as error:
        return error


def _same_predictions(
    first: FittedModel | TrainingError, second: FittedModel | TrainingError
) -> bool:
    if isinstance(first, TrainingError) or isinstance(second, TrainingError):
        return isinstance(first, TrainingError) and isinstance(second, TrainingError)
    parts = ("train", "validation")
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

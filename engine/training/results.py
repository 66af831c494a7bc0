"""All fits of a run: read from the store where they are stored, else trained."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError
from engine.core.part_origin import require_importable
from engine.core.versions import collect_fit_versions
from engine.models.model_file import DamagedFitError
from engine.training.deployment import deploy_fits
from engine.training.fit_results import FitResults
from engine.training.scheduler import FitScheduler
from engine.training.worker import fit_task

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterator, Mapping, Sequence

    from engine.core.progress import Progress
    from engine.models.fitted_model import FittedModel
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore
    from engine.training.task import FitTask

__all__ = ["FitResults", "report_refused_fits", "run_fits"]

LARGE_STORE_BYTES = 2_000_000_000
"""Size of a store, in bytes, above which a run reports it."""


def run_fits(
    tasks: Sequence[FitTask],
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    ignore_stored: bool = False,
    skip_failures: bool = False,
) -> FitResults:
    """Returns one outcome for each task: the deployed model of one that has a deployment.

    Every costly fit is stored as soon as it is finished, so that a killed run loses only the fits
    in progress. Other fits run in this process and are not stored. The failure of a fit that is
    left out is stored too, if the fit would fail again: it is told, and not tried again. A fit
    that cannot be stored ends no run; `report_refused_fits` tells how many they are.

    Args:
        tasks: Tasks in the order to start them.
        executor: Where the costly fits run.
        store: Read first, unless `ignore_stored`.
        progress: Gets the number of costly fits that are done.
        ignore_stored: Train everything, and replace stored fits and failures.
        skip_failures: Leave out a fit that failed, now or before, with a notice.

    Raises:
        TrainingError: The first failure, unless failures are skipped; fits finished before it
            are stored.
    """

    def train(more: Sequence[FitTask]) -> FitResults:
        first: dict[Hashable, FitTask] = {}
        for task in more:
            first.setdefault(task.fit_identity, task)
        fits = _fit_all(
            list(first.values()),
            executor,
            store,
            progress,
            ignore_stored=ignore_stored,
            skip_failures=skip_failures,
        )
        return _of_each_symbol(fits, more)

    return deploy_fits(
        train(tasks),
        train,
        store,
        partial(_raise_unless_skipped, progress=progress, skip_failures=skip_failures),
        ignore_stored=ignore_stored,
    )


def _of_each_symbol(fits: FitResults, tasks: Sequence[FitTask]) -> FitResults:
    """The results of all tasks, from those of the fits that several of them share."""
    if len(fits.tasks) == len(tasks):
        return fits
    place = {task.fit_identity: number for number, task in enumerate(fits.tasks)}
    places = [place[task.fit_identity] for task in tasks]
    return replace(
        fits,
        tasks=tasks,
        outcomes=[
            task.own_model(fits.outcomes[number])
            for task, number in zip(tasks, places, strict=True)
        ],
        keys={
            index: fits.keys[number] for index, number in enumerate(places) if number in fits.keys
        },
    )


def _fit_all(
    tasks: Sequence[FitTask],
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    ignore_stored: bool,
    skip_failures: bool,
) -> FitResults:
    """The outcome of each task as it is fitted."""
    costly = [task for task in tasks if task.model.costly]
    if costly:
        _report_retired_fits(store, progress)
    for task in {id(task.model): task for task in costly}.values():
        require_importable(task.model, task.book)
    lookup = _StoreLookup(
        costly,
        executor,
        store,
        progress,
        ignore_stored=ignore_stored,
        skip_failures=skip_failures,
    )
    scheduler = FitScheduler(costly, lookup.find_stored)
    outcomes_by_index: dict[int, FittedModel | TrainingError] = dict(scheduler.pop_stored())
    stored, trained = len(outcomes_by_index), 0
    fit_progress = _FitProgress(costly, progress)
    if stored:
        fit_progress.report(outcomes_by_index, stored, trained)
    cheap = iter(
        [
            _raise_unless_skipped(
                _with_versions(_fit_or_error(task), lookup.versions),
                progress,
                skip_failures=skip_failures,
            )
            for task in tasks
            if not task.model.costly
        ]
    )
    with closing(executor.run_tasks(scheduler)) as finished:
        for index, answer in finished:
            outcome = _with_versions(answer, lookup.versions)
            outcomes_by_index[index] = _raise_unless_skipped(
                outcome, progress, skip_failures=skip_failures
            )
            store.try_store(lookup.keys[index], str(costly[index]), outcome)
            newly_stored = scheduler.pop_stored()
            outcomes_by_index.update(newly_stored)
            trained, stored = trained + 1, stored + len(newly_stored)
            fit_progress.report(outcomes_by_index, stored, trained)
    if costly:
        progress.line(f"{len(costly)} fits: {stored} cached, {trained} trained")
    _report_store_size(store, progress)
    costly_indices = [index for index, task in enumerate(tasks) if task.model.costly]
    fitted = (outcomes_by_index[index] for index in range(len(costly)))
    outcomes = [next(fitted) if task.model.costly else next(cheap) for task in tasks]
    keys = {index: lookup.keys[number] for number, index in enumerate(costly_indices)}
    return FitResults(tasks, outcomes, trained, stored, keys)


@contextmanager
def report_refused_fits(store: FitStore, progress: Progress) -> Iterator[None]:
    """Context of all fits of a command: tells once, however it ends, what could not be stored."""
    try:
        yield
    finally:
        if store.refused is not None:
            fits = "1 fit" if store.refused_count == 1 else f"{store.refused_count} fits"
            progress.notice(
                f"{fits} could not be stored and will be trained again by the next run: "
                f"{store.refused.found} ({store.refused.where}); {store.refused.fix}"
            )


class _FitProgress:
    """Progress of costly fits: complete windows, cached fits, trained fits."""

    def __init__(self, tasks: Sequence[FitTask], progress: Progress) -> None:
        self._tasks = tasks
        self._windows = {task.window for task in tasks}
        self._progress = progress

    def report(self, finished: Container[int], stored: int, trained: int) -> None:
        """Reports the progress after a fit."""
        incomplete = {
            task.window for index, task in enumerate(self._tasks) if index not in finished
        }
        complete, windows = len(self._windows - incomplete), len(self._windows)
        window_count = f"{complete} of {windows} windows, " if windows > 1 else ""
        message = f"{window_count}{stored} cached, {trained} trained"
        self._progress.advance(stored + trained, len(self._tasks), message)


def _fit_or_error(task: FitTask) -> FittedModel | TrainingError:
    try:
        return fit_task(task)
    except TrainingError as error:
        return error


def _with_versions(
    outcome: FittedModel | TrainingError, versions: Mapping[str, str]
) -> FittedModel | TrainingError:
    return outcome if isinstance(outcome, TrainingError) else replace(outcome, versions=versions)


def _raise_unless_skipped(
    outcome: FittedModel | TrainingError, progress: Progress, *, skip_failures: bool
) -> FittedModel | TrainingError:
    if isinstance(outcome, TrainingError):
        if not skip_failures:
            raise outcome
        progress.notice(f"{outcome.where} is left out: {outcome.problem}")
    return outcome


class _StoreLookup:
    """The store, for the tasks of one run; `keys` has the keys of the tasks looked up."""

    def __init__(
        self,
        tasks: Sequence[FitTask],
        executor: Executor,
        store: FitStore,
        progress: Progress,
        *,
        ignore_stored: bool,
        skip_failures: bool,
    ) -> None:
        self.keys: dict[int, str] = {}
        self._tasks = tasks
        self._backend = executor.backend
        self.versions = {**collect_fit_versions(executor.backend), "device": executor.device}
        self._store = store
        self._progress = progress
        self._ignore_stored = ignore_stored
        self._skip_failures = skip_failures

    def find_stored(
        self, index: int, previous_index: int | None
    ) -> FittedModel | TrainingError | None:
        """The stored outcome of a task that starts from the fit at `previous_index`."""
        task = self._tasks[index]
        previous_key = None if previous_index is None else self.keys[previous_index]
        self.keys[index] = task.key(self._backend, self.versions, previous_key)
        if self._ignore_stored:
            return None
        try:
            stored = self._store.get(self.keys[index], task.model)
        except DamagedFitError:
            self._progress.notice(f"the stored fit of {task} is damaged and is trained again")
            return None
        return stored or self._find_failure(index)

    def _find_failure(self, index: int) -> TrainingError | None:
        if not self._skip_failures:
            return None
        failure = self._store.get_failure(self.keys[index])
        if failure is not None:
            failure.where = str(self._tasks[index])
            self._progress.notice(
                f"{failure.where} is left out: {failure.problem}, as before; `backtest fits prune "
                "--failed` has it tried again"
            )
        return failure


def _report_retired_fits(store: FitStore, progress: Progress) -> None:
    if count := store.count_newly_retired():
        fits = "1 stored fit is" if count == 1 else f"{count} stored fits are"
        progress.notice(
            f"{fits} of an earlier key format and not used; "
            "`backtest fits prune --earlier-formats` removes what is of no use"
        )


def _report_store_size(store: FitStore, progress: Progress) -> None:
    size = store.total_bytes()
    if size > LARGE_STORE_BYTES:
        progress.notice(
            f"the store of fits holds {size / 1e9:.1f} GB in {store.folder}; "
            "`backtest fits prune --keep-bytes 1GB` makes it smaller"
        )

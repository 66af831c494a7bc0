"""All fits of a run: from the store where they are there, trained where they are not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.artifacts import fit_versions
from engine.errors import RefitError
from engine.refit.queue import Queue
from engine.refit.store import DamagedError, Store
from engine.refit.worker import fit

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from engine.models import Forecast
    from engine.progress import Progress
    from engine.refit.executor import Executor
    from engine.refit.task import Task

LARGE = 2_000_000_000
"""Bytes of a store above which a run says how large it is."""


@dataclass(frozen=True)
class Fits:
    """What came of the tasks.

    Attributes:
        tasks: As they were asked for.
        outcomes: A forecast a task, in their order, or why there is none.
        trained: How many costly fits were made.
        stored: How many costly fits were found in the store.
        keys: Place of a costly task -> its key in the store.
    """

    tasks: Sequence[Task]
    outcomes: list[Forecast | RefitError]
    trained: int
    stored: int
    keys: Mapping[int, str] = field(default_factory=dict)

    def of(
        self, book: str, member: int | None = None
    ) -> tuple[list[Task], list[Forecast | RefitError], list[str | None]]:
        """Tasks, outcomes and keys of one book, of all its seeds or of one; None: not stored."""
        chosen = [
            place
            for place, task in enumerate(self.tasks)
            if task.book == book and member in {None, task.member}
        ]
        return (
            [self.tasks[place] for place in chosen],
            [self.outcomes[place] for place in chosen],
            [self.keys.get(place) for place in chosen],
        )

    @property
    def failures(self) -> list[RefitError]:
        """Of the fits that were left out."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, RefitError)]


def fit_all(
    tasks: Sequence[Task],
    executor: Executor,
    store: Store,
    told: Progress,
    *,
    fresh: bool = False,
    skip_failures: bool = False,
) -> Fits:
    """One forecast a task.

    Every costly fit is stored as soon as it is finished, so that a run that is killed loses only
    what it was at. Cheap ones are made here and kept nowhere.

    Args:
        tasks: In the order to start them.
        executor: Who trains.
        store: Looked into first, unless `fresh`.
        told: How many are done; where there are networks to train nothing else is counted.
        fresh: Train everything, and replace what is stored.
        skip_failures: Go on without a fit that failed, and tell so.

    Raises:
        RefitError: The first failure, unless they are skipped; what was finished before is stored.
    """
    costly = [task for task in tasks if task.model.costly]
    kept = _Kept(costly, executor, store, told, fresh=fresh)
    queue = Queue(costly, kept.find)
    made: dict[int, Forecast | RefitError] = dict(queue.found())
    stored, trained = len(made), 0
    tally = _Tally(costly, told)
    if stored:
        tally.tell(made, stored, trained)
    cheap = iter(
        [
            _accepted(_fitted_here(task), told, skip_failures=skip_failures)
            for task in tasks
            if not task.model.costly
        ]
    )
    with closing(executor.fit(queue)) as finished:
        for place, outcome in finished:
            made[place] = _accepted(outcome, told, skip_failures=skip_failures)
            if not isinstance(outcome, RefitError):
                store.put(kept.keys[place], str(costly[place]), outcome)
            met = queue.found()
            made.update(met)
            trained, stored = trained + 1, stored + len(met)
            tally.tell(made, stored, trained)
    if costly:
        told.line(f"{len(costly)} fits: {stored} cached, {trained} trained")
    _tell_size(store, told)
    places = [place for place, task in enumerate(tasks) if task.model.costly]
    fitted = (made[place] for place in range(len(costly)))
    outcomes = [next(fitted) if task.model.costly else next(cheap) for task in tasks]
    keys = {place: kept.keys[number] for number, place in enumerate(places)}
    return Fits(tasks, outcomes, trained, stored, keys)


class _Tally:
    """What is told of costly fits: how many windows are whole, and where their fits came from."""

    def __init__(self, tasks: Sequence[Task], told: Progress) -> None:
        self._tasks = tasks
        self._windows = {task.window for task in tasks}
        self._told = told

    def tell(self, made: Container[int], stored: int, trained: int) -> None:
        """After every fit."""
        lacking = {task.window for place, task in enumerate(self._tasks) if place not in made}
        whole, windows = len(self._windows - lacking), len(self._windows)
        ready = f"{whole} of {windows} windows, " if windows > 1 else ""
        what = f"{ready}{stored} cached, {trained} trained"
        self._told.advance(stored + trained, len(self._tasks), what)


def _fitted_here(task: Task) -> Forecast | RefitError:
    try:
        return fit(task)
    except RefitError as error:
        return error


def _accepted(
    outcome: Forecast | RefitError, told: Progress, *, skip_failures: bool
) -> Forecast | RefitError:
    if isinstance(outcome, RefitError):
        if not skip_failures:
            raise outcome
        told.notice(f"{outcome.where} is left out: {outcome.problem}")
    return outcome


class _Kept:
    """The store, as the tasks of one run see it; `keys` has those of the tasks looked for."""

    def __init__(
        self,
        tasks: Sequence[Task],
        executor: Executor,
        store: Store,
        told: Progress,
        *,
        fresh: bool,
    ) -> None:
        self.keys: dict[int, str] = {}
        self._tasks = tasks
        self._backend = executor.backend
        self._versions = {**fit_versions(executor.backend), "device": executor.device}
        self._store = store
        self._told = told
        self._fresh = fresh

    def find(self, place: int, before: int | None) -> Forecast | None:
        """The forecast of a task that goes on from the one at `before`, where it is stored."""
        task = self._tasks[place]
        goes_on_from = None if before is None else self.keys[before]
        self.keys[place] = task.key(self._backend, self._versions, goes_on_from)
        if self._fresh:
            return None
        try:
            return self._store.get(self.keys[place])
        except DamagedError:
            self._told.notice(f"the stored fit of {task} is damaged and is made anew")
            return None


def _tell_size(store: Store, told: Progress) -> None:
    size = store.size()
    if size > LARGE:
        told.notice(
            f"the store of fits holds {size / 1e9:.1f} GB in {store.folder}; "
            "`backtest fits prune --keep-bytes 1GB` makes it smaller"
        )

"""All fits of a run: from the store where they are there, trained where they are not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.artifacts import fit_versions
from engine.errors import RefitError
from engine.refit.store import DamagedError, Store
from engine.refit.worker import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        outcomes: A forecast a task, in their order, or why there is none.
        trained: How many costly fits were made.
        stored: How many costly fits were found in the store.
    """

    outcomes: list[Forecast | RefitError]
    trained: int
    stored: int

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
    costly = {place: task for place, task in enumerate(tasks) if task.model.costly}
    versions = {**fit_versions(executor.backend), "device": executor.device}
    keys = {place: task.key(executor.backend, versions) for place, task in costly.items()}
    outcomes: dict[int, Forecast | RefitError] = {}
    if not fresh:
        outcomes.update(_stored(costly, keys, store, told))
    stored = len(outcomes)
    missing = [place for place in costly if place not in outcomes]
    if stored:
        told.advance(stored, len(costly), f"{stored} stored")
    for place, task in enumerate(tasks):
        if place not in costly:
            outcomes[place] = _accepted(_fitted_here(task), told, skip_failures=skip_failures)
    with closing(executor.fit([tasks[place] for place in missing])) as finished:
        for done, (which, outcome) in enumerate(finished, start=stored + 1):
            place = missing[which]
            outcomes[place] = _accepted(outcome, told, skip_failures=skip_failures)
            if not isinstance(outcome, RefitError):
                store.put(keys[place], str(tasks[place]), outcome)
            told.advance(done, len(costly), str(tasks[place]))
    _tell_size(store, told)
    return Fits([outcomes[place] for place in range(len(tasks))], len(missing), stored)


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


def _stored(
    costly: dict[int, Task], keys: dict[int, str], store: Store, told: Progress
) -> dict[int, Forecast]:
    found = {}
    for place, task in costly.items():
        try:
            forecast = store.get(keys[place])
        except DamagedError:
            told.notice(f"the stored fit of {task} is damaged and is made anew")
            continue
        if forecast is not None:
            found[place] = forecast
    return found


def _tell_size(store: Store, told: Progress) -> None:
    size = store.size()
    if size > LARGE:
        told.notice(
            f"the store of fits holds {size / 1e9:.1f} GB in {store.folder}; "
            "`backtest fits prune --keep-bytes 1GB` makes it smaller"
        )

"""A window's fit again, on other bars after a cut: from the store, or trained."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from engine.errors import CertificateError, RefitError
from engine.refit.fits import fit_all
from engine.refit.queue import Queue
from engine.refit.worker import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.models import Forecast
    from engine.progress import Progress
    from engine.refit.executor import Executor
    from engine.refit.fits import Fits
    from engine.refit.store import Store
    from engine.refit.task import Task


@dataclass(frozen=True, eq=False)
class Again:
    """One fit that is made again.

    Attributes:
        real: The run's task.
        other: The same one on other bars after the cut.
        label: Which cut; chains of different cuts are different chains.
    """

    real: Task
    other: Task
    label: str


def refit_again(
    asked: Sequence[Again],
    fits: Fits,
    executor: Executor,
    store: Store,
    told: Progress,
    *,
    fresh: bool,
) -> list[Forecast | RefitError]:
    """A forecast for each, all in one go, so that workers are started once or not at all.

    One that starts warm goes on from the run's own fit of the window before, which its cut does
    not change.

    Args:
        asked: Fits to make.
        fits: Of the run.
        executor: Who trains.
        store: Where they are kept like any other fit.
        told: How many are done.
        fresh: Train them although they are stored. Those that start warm are looked for
            nevertheless: the fits before them are the run's, and not to be made once more.
    """
    lines = [[*_before(fits, again.real), again.other] for again in asked]
    tasks = [
        replace(task, book=f"{task.book}, {again.label},")
        for again, line in zip(asked, lines, strict=True)
        for task in line
    ]
    if not tasks:
        return []
    anew = fresh and not any(task.chain for task in tasks)
    made = fit_all(tasks, executor, store, _Counted(told), fresh=anew, skip_failures=True)
    return [made.outcomes[end - 1] for end in accumulate(len(line) for line in lines)]


def made_here(
    again: Again, fits: Fits, executor: Executor
) -> tuple[Forecast | RefitError, Forecast | RefitError]:
    """The fit on the real bars and on the others, both trained now, whatever is stored.

    A stored fit may have been made on a machine that rounds otherwise; that is no look-ahead.

    Raises:
        CertificateError: The same fit on the same bars does not come out twice: nothing can be
            compared.
    """
    before = _before(fits, again.real)
    lasts = {"first": again.real, "second": again.real, "other": again.other}
    tasks = [
        replace(task, book=f"{task.book}, {label},")
        for label, last in lasts.items()
        for task in (*before, last)
    ]
    outcome_of = {id(task): made for task, made in zip(fits.tasks, fits.outcomes, strict=True)}
    known = [outcome_of[id(task)] for task in before]
    length = len(before) + 1

    def found(place: int, _: int | None) -> Forecast | None:
        within = place % length
        made = known[within] if within < len(known) else None
        return None if isinstance(made, RefitError) else made

    with closing(executor.fit(Queue(tasks, found))) as finished:
        made = dict(finished)
    first, second, other = (made[place * length - 1] for place in (1, 2, 3))
    if not _same(first, second):
        raise CertificateError(
            "A fit does not repeat itself, so that no look-ahead could be told from chance",
            expected="the same forecasts from the same arrays and the same seed",
            found="other bits the second time",
            where=f"predictions: {again.real}",
            fix="take the cpu, or settings under which the device repeats its own results",
        )
    return first, other


def fitted(task: Task) -> Forecast | RefitError:
    """A cheap fit, made in this process."""
    try:
        return fit(task)
    except RefitError as error:
        return error


def _same(first: Forecast | RefitError, second: Forecast | RefitError) -> bool:
    if isinstance(first, RefitError) or isinstance(second, RefitError):
        return isinstance(first, RefitError) and isinstance(second, RefitError)
    parts = ("train", "validation", "test")
    return all(getattr(first, part).tobytes() == getattr(second, part).tobytes() for part in parts)


def _before(fits: Fits, task: Task) -> list[Task]:
    """The run's fits that this one goes on from, the oldest first; none where it starts cold."""
    if task.chain is None:
        return []
    line: list[Task] = []
    for earlier, outcome in zip(fits.tasks, fits.outcomes, strict=True):
        if earlier.chain == task.chain and earlier.window < task.window:
            # Behind a fit that was left out the next one starts from scratch.
            line = [] if isinstance(outcome, RefitError) else [*line, earlier]
    return line


class _Counted:
    """Passes on how far it is; what there is to notice was told when the run was fitted."""

    def __init__(self, told: Progress) -> None:
        self._told = told

    def stage(self, name: str) -> None:
        """Not told: the stage goes on."""

    def notice(self, text: str) -> None:
        """Not told."""

    def line(self, text: str) -> None:
        """Not told, for the same reason."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Passed on."""
        self._told.advance(done, total, what)

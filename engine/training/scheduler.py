"""The order of fits: a task with a warm start waits for the one before it."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from engine.models import FittedForecaster
    from engine.models.fitted_model import FittedModel
    from engine.training.task import FitTask


class FitScheduler:
    """Tasks in the order to start them, each with the fit that it starts from.

    Tasks of one chain (same book, symbol, seed and horizons, window after window) run one after
    the other where they start warm. Chains run in parallel, and a task without a warm start is a
    chain by itself. After a fit that failed and was left out, the next starts from random weights.

    A task is looked up in the store when the one before it is finished, because its key depends
    on the fit that it starts from.

    Args:
        tasks: Tasks of one run.
        find_stored: Index of a task and of the one that it starts from (None: random weights) ->
            its stored model, the error of a fit that is left out, or None.
    """

    def __init__(
        self,
        tasks: Sequence[FitTask],
        find_stored: Callable[[int, int | None], FittedModel | TrainingError | None] = lambda *_: (
            None
        ),
    ) -> None:
        self.tasks = tasks
        self._find_stored = find_stored
        self._successors = _map_successors(tasks)
        self._ready: list[tuple[int, FittedForecaster | None]] = []
        self._stored: list[tuple[int, FittedModel | TrainingError]] = []
        for index in sorted(set(range(len(tasks))) - set(self._successors.values())):
            self._advance(index, None, None)

    @property
    def ready_count(self) -> int:
        """Number of ready tasks; before the first is taken, the most that run at a time."""
        return len(self._ready)

    def next_ready(self) -> tuple[int, FittedForecaster | None] | None:
        """Index of the next ready task and the fit that it starts from; None if none is ready."""
        return heappop(self._ready) if self._ready else None

    def mark_finished(self, index: int, outcome: FittedModel | TrainingError) -> None:
        """Makes the task that waits for this one ready."""
        follower = self._successors.get(index)
        if follower is None:
            return
        if isinstance(outcome, TrainingError):
            self._advance(follower, None, None)
        else:
            self._advance(follower, index, outcome)

    def pop_stored(self) -> list[tuple[int, FittedModel | TrainingError]]:
        """Indices and stored outcomes of tasks that need no fit, since the last call."""
        stored, self._stored = self._stored, []
        return stored

    def _advance(self, index: int, previous_index: int | None, fitted: FittedModel | None) -> None:
        """Follows a chain, over stored fits, to the first task that has to be fitted."""
        while (stored := self._find_stored(index, previous_index)) is not None:
            self._stored.append((index, stored))
            if index not in self._successors:
                return
            previous_index, fitted = (
                (None, None) if isinstance(stored, TrainingError) else (index, stored)
            )
            index = self._successors[index]
        heappush(self._ready, (index, None if fitted is None else fitted.forecaster))


def _map_successors(tasks: Sequence[FitTask]) -> dict[int, int]:
    """Index -> index of the task that starts from it."""
    successors: dict[int, int] = {}
    latest: dict[Hashable, int] = {}
    for index in sorted(range(len(tasks)), key=lambda index: tasks[index].window):
        chain = tasks[index].warm_start_chain
        if chain is None:
            continue
        if chain in latest:
            successors[latest[chain]] = index
        latest[chain] = index
    return successors

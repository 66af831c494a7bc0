"""Which task can be started now: one that starts warm waits for the one before it."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.models import Forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from engine.training.task import FitTask


class FitScheduler:
    """Tasks in the order to start them, each with what it goes on from.

    Tasks of one chain (same book, symbol, seed and horizons, window after window) follow each
    other where they start warm; chains run side by side, and a cold task is a chain of its own.
    After a fit that failed and was left out the next one starts from scratch.

    A task is looked for in the store when the one before it is finished, because only then is it
    known what it goes on from, and so what its key is.

    Args:
        tasks: Of one run.
        find_stored: Place of a task and of the one it goes on from (None: from scratch) -> its
            forecast, where it was made before.
    """

    def __init__(
        self,
        tasks: Sequence[FitTask],
        find_stored: Callable[[int, int | None], Forecast | None] = lambda *_: None,
    ) -> None:
        self.tasks = tasks
        self._find_stored = find_stored
        self._successors = _map_successors(tasks)
        self._ready: list[tuple[int, Forecast | None]] = []
        self._stored: list[tuple[int, Forecast]] = []
        for place in sorted(set(range(len(tasks))) - set(self._successors.values())):
            self._advance(place, None, None)

    @property
    def ready_count(self) -> int:
        """How many can be taken now; before the first is, as many as ever run at a time."""
        return len(self._ready)

    def next_ready(self) -> tuple[int, Forecast | None] | None:
        """Place of the first task that is ready and what it starts from; None if none is ready."""
        return heappop(self._ready) if self._ready else None

    def mark_finished(self, index: int, outcome: Forecast | TrainingError) -> None:
        """Frees the task that waited for this one."""
        follower = self._successors.get(index)
        if follower is None:
            return
        if isinstance(outcome, TrainingError):
            self._advance(follower, None, None)
        else:
            self._advance(follower, index, outcome)

    def pop_stored(self) -> list[tuple[int, Forecast]]:
        """Places and forecasts that need no fit, each told once, since the last time asked."""
        told, self._stored = self._stored, []
        return told

    def _advance(self, index: int, previous_index: int | None, forecast: Forecast | None) -> None:
        """Goes along a chain, over what is found, to the first task that has to be fitted."""
        while (found := self._find_stored(index, previous_index)) is not None:
            self._stored.append((index, found))
            if index not in self._successors:
                return
            previous_index, forecast, index = index, found, self._successors[index]
        heappush(self._ready, (index, None if forecast is None else _keep_weights_only(forecast)))


def _map_successors(tasks: Sequence[FitTask]) -> dict[int, int]:
    """Place -> place of the task that goes on from it."""
    after: dict[int, int] = {}
    latest: dict[Hashable, int] = {}
    for place in sorted(range(len(tasks)), key=lambda place: tasks[place].window):
        chain = tasks[place].warm_start_chain
        if chain is None:
            continue
        if chain in latest:
            after[latest[chain]] = place
        latest[chain] = place
    return after


def _keep_weights_only(forecast: Forecast) -> Forecast:
    """What a warm start needs of it; predictions need not travel to a worker."""
    nothing = np.empty(0)
    return Forecast(
        nothing,
        nothing,
        nothing,
        weights=forecast.weights,
        members=tuple(map(_keep_weights_only, forecast.members)),
    )

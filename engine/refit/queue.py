"""Which task can be started now: one that starts warm waits for the one before it."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError
from engine.models import Forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from engine.refit.task import Task


class Queue:
    """Tasks in the order to start them, each with what it goes on from.

    Tasks of one chain (same book, symbol, seed and horizons, window after window) follow each
    other where they start warm; chains run side by side, and a cold task is a chain of its own.
    After a fit that failed and was left out the next one starts from scratch.

    A task is looked for in the store when the one before it is finished, because only then is it
    known what it goes on from, and so what its key is.

    Args:
        tasks: Of one run.
        find: Place of a task and of the one it goes on from (None: from scratch) -> its forecast,
            where it was made before.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        find: Callable[[int, int | None], Forecast | None] = lambda *_: None,
    ) -> None:
        self.tasks = tasks
        self._find = find
        self._after = _followers(tasks)
        self._ready: list[tuple[int, Forecast | None]] = []
        self._found: list[tuple[int, Forecast]] = []
        for place in sorted(set(range(len(tasks))) - set(self._after.values())):
            self._reach(place, None, None)

    @property
    def ready(self) -> int:
        """How many can be taken now; before the first is, as many as ever run at a time."""
        return len(self._ready)

    def take(self) -> tuple[int, Forecast | None] | None:
        """Place of the first task that is ready and what it starts from; None if none is ready."""
        return heappop(self._ready) if self._ready else None

    def finish(self, place: int, outcome: Forecast | RefitError) -> None:
        """Frees the task that waited for this one."""
        follower = self._after.get(place)
        if follower is None:
            return
        if isinstance(outcome, RefitError):
            self._reach(follower, None, None)
        else:
            self._reach(follower, place, outcome)

    def found(self) -> list[tuple[int, Forecast]]:
        """Places and forecasts that need no fit, each told once, since the last time asked."""
        told, self._found = self._found, []
        return told

    def _reach(self, place: int, before: int | None, forecast: Forecast | None) -> None:
        """Goes along a chain, over what is found, to the first task that has to be fitted."""
        while (found := self._find(place, before)) is not None:
            self._found.append((place, found))
            if place not in self._after:
                return
            before, forecast, place = place, found, self._after[place]
        heappush(self._ready, (place, None if forecast is None else _weights(forecast)))


def _followers(tasks: Sequence[Task]) -> dict[int, int]:
    """Place -> place of the task that goes on from it."""
    after: dict[int, int] = {}
    latest: dict[Hashable, int] = {}
    for place in sorted(range(len(tasks)), key=lambda place: tasks[place].window):
        chain = tasks[place].chain
        if chain is None:
            continue
        if chain in latest:
            after[latest[chain]] = place
        latest[chain] = place
    return after


def _weights(forecast: Forecast) -> Forecast:
    """What a warm start needs of it; predictions need not travel to a worker."""
    nothing = np.empty(0)
    return Forecast(
        nothing,
        nothing,
        nothing,
        weights=forecast.weights,
        members=tuple(map(_weights, forecast.members)),
    )

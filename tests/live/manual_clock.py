"""A clock that stands still until a test sets it, or something sleeps on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable


class ManualClock:
    """Begins at `start`; a sleep sets it to its end at once.

    `at` runs an action when a sleep reaches an instant, which is how a test lets something happen
    while the engine waits.
    """

    def __init__(self, start: str) -> None:
        self.time = pd.Timestamp(start, tz="UTC").as_unit("us")
        self._actions: list[tuple[pd.Timestamp, Callable[[], object]]] = []

    def now(self) -> pd.Timestamp:
        return self.time

    def sleep_until(self, instant: pd.Timestamp) -> None:
        while self._actions and self._actions[0][0] <= instant:
            reached, action = self._actions.pop(0)
            self.time = max(self.time, reached)
            action()
        self.time = max(self.time, instant)

    def at(self, instant: str, action: Callable[[], object]) -> None:
        self._actions.append((pd.Timestamp(instant, tz="UTC"), action))
        self._actions.sort(key=lambda each: each[0])

    def set(self, instant: str) -> None:
        self.time = pd.Timestamp(instant, tz="UTC").as_unit("us")

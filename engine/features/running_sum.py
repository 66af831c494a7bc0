"""pandas' rolling sum, continued from bar to bar.

pandas keeps a running sum with a Kahan compensation for the added values and one for the removed
ones, so that the last bits depend on all earlier values. The same operations in the same order
give the same bits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import isinf, isnan
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector

_NUMBERS = 5


@dataclass
class RunningSum:
    """The sum of the last `window` values, as `Series.rolling(window).sum()` has it.

    Attributes:
        window: Number of values.
        held: The last of them, at most `window`; NaN in place of an infinity.
        total: Their sum.
        added: Compensation of the values that were added.
        removed: Compensation of those that were removed.
        repeats: Number of equal values at the end.
        latest: The last value that is not NaN.
    """

    window: int
    held: deque[float]
    total: float = 0.0
    added: float = 0.0
    removed: float = 0.0
    repeats: float = 0.0
    latest: float = float("nan")

    @classmethod
    def from_state(cls, window: int, state: Vector) -> RunningSum:
        """The sum that `to_state` described; an empty state has seen no value."""
        return cls(window, deque(state[_NUMBERS:].tolist()), *state[:_NUMBERS].tolist())

    def to_state(self) -> Vector:
        """Five numbers, followed by the values held."""
        numbers = (self.total, self.added, self.removed, self.repeats, self.latest)
        return np.array([*numbers, *self.held])

    def extend(self, values: Vector) -> Vector:
        """The sum at each further value; NaN where the window is not complete or has a NaN."""
        finite = np.where(np.isinf(values), np.nan, values).tolist()
        return np.array([self._add_next(value) for value in finite])

    def append(self, value: float) -> float:
        """The sum at one further value, see `extend`."""
        return self._add_next(float("nan") if isinf(value) else value)

    def _add_next(self, value: float) -> float:
        if len(self.held) == self.window:
            self._remove(self.held.popleft())
        self.held.append(value)
        self._add(value)
        if len(self.held) < self.window or any(map(isnan, self.held)):
            return float("nan")
        # pandas: the sum of equal values is exact.
        return self.latest * self.window if self.repeats >= self.window else self.total

    def _remove(self, value: float) -> None:
        if not isnan(value):
            difference = -value - self.removed
            total = self.total + difference
            self.removed = total - self.total - difference
            self.total = total

    def _add(self, value: float) -> None:
        if not isnan(value):
            difference = value - self.added
            total = self.total + difference
            self.added = total - self.total - difference
            self.total = total
            self.repeats = self.repeats + 1 if value == self.latest else 1
            self.latest = value

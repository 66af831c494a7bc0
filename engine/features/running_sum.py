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
    from engine.core.types import Cube, Matrix, Vector

_NUMBERS = 5


@dataclass
class RunningSum:
    """The sum of the last `window` values, as `Series.rolling(window).sum()` has it.

    Attributes:
        window: Number of values.
        held: The last of them; NaN in place of an infinity, and where there is none yet.
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
        if not len(state):
            return cls(window, deque([float("nan")] * window))
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
        self._remove(self.held.popleft())
        self.held.append(value)
        self._add(value)
        if any(map(isnan, self.held)):
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


def append_to_sums(states: Cube, values: Matrix) -> tuple[Cube, Matrix]:
    """`RunningSum.append` of many sums at once, each with the bits that it has alone.

    Args:
        states: (..., 5 + window) what `RunningSum.to_state` returned.
        values: (...) the further value of each.

    Returns:
        The next states, and the sum of each; NaN where its window is not complete or has a NaN.
    """
    kept = np.empty_like(states)
    kept[..., _NUMBERS:-1] = states[..., _NUMBERS + 1 :]
    kept[..., -1] = values = np.where(np.isinf(values), np.nan, values)
    total, added, removed, repeats, latest = np.moveaxis(states[..., :_NUMBERS], -1, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        total, removed = _compensate(total, removed, -states[..., _NUMBERS])
        total, added = _compensate(total, added, values)
    is_number = ~np.isnan(values)
    repeats = np.where(is_number, np.where(values == latest, repeats + 1, 1), repeats)
    latest = np.where(is_number, values, latest)
    for place, number in enumerate((total, added, removed, repeats, latest)):
        kept[..., place] = number
    held = kept[..., _NUMBERS:]
    window = held.shape[-1]
    sums = np.where(repeats >= window, latest * window, total)
    return kept, np.where(np.isnan(held).any(axis=-1), np.nan, sums)


def _compensate(total: Matrix, error: Matrix, value: Matrix) -> tuple[Matrix, Matrix]:
    """The sum after a value, and its rounding error; both as before where the value is NaN."""
    is_number = ~np.isnan(value)
    difference = value - error
    following = total + difference
    lost = following - total - difference
    return np.where(is_number, following, total), np.where(is_number, lost, error)

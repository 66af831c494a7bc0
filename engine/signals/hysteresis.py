"""Hysteresis: enter at one threshold, exit at another, hold in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import Vector

Side: TypeAlias = Literal["long_only", "long_short"]


@dataclass(frozen=True)
class EntryExitThresholds:
    """Entry and exit thresholds, in the unit of the values.

    Attributes:
        enter: A long is entered above it.
        exit: A long is exited below it; at most `enter`.
        enter_short: A short is entered below it; at most `enter`.
        exit_short: A short is exited above it; at least `enter_short`.
    """

    enter: float
    exit: float
    enter_short: float
    exit_short: float

    @classmethod
    def symmetric(cls, enter: float, exit: float) -> EntryExitThresholds:
        """Thresholds of the short side are those of the long side with the opposite sign."""
        return cls(enter, exit, -enter, -exit)


def apply_hysteresis(
    values: Vector, thresholds: Iterable[EntryExitThresholds], side: Side
) -> Vector:
    """The position at each row: 1 long, 0 flat, -1 short; the first state is flat.

    A value beyond an entry threshold sets that side. Otherwise a value beyond the exit threshold
    of the current side sets 0. Otherwise, and for NaN, the position stays.

    Args:
        values: Shape (n,).
        thresholds: One for each row.
        side: Whether shorts are allowed.

    Returns:
        Shape (n,); row t depends on rows up to t.
    """
    positions, position = np.empty(len(values)), 0.0
    for row, (value, level) in enumerate(zip(values.tolist(), thresholds, strict=False)):
        positions[row] = position = next_position(position, value, level, side)
    return positions


def next_position(
    position: float, value: float, thresholds: EntryExitThresholds, side: Side
) -> float:
    """The position after one more value, see `apply_hysteresis`.

    Args:
        position: The position before it: 1, 0 or -1.
        value: In the unit of the thresholds; for NaN the position stays.
        thresholds: Of its row.
        side: Whether shorts are allowed.
    """
    if value > thresholds.enter:
        return 1.0
    if side == "long_short" and value < thresholds.enter_short:
        return -1.0
    if (position > 0 and value < thresholds.exit) or (
        position < 0 and value > thresholds.exit_short
    ):
        return 0.0
    return position

"""Hysteresis: enter at one threshold, exit at another, hold in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Vector

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
    values: Vector,
    thresholds: Sequence[EntryExitThresholds],
    side: Side,
    in_force: IntVector | None = None,
) -> Vector:
    """The position at each row: 1 long, 0 flat, -1 short; the first state is flat.

    A value beyond an entry threshold sets that side. Otherwise a value beyond the exit threshold
    of the current side sets 0. Otherwise, and for NaN, the position stays. All rows at once; equal
    to `next_position` row by row.

    Args:
        values: Shape (n,).
        thresholds: At least one.
        side: Whether shorts are allowed.
        in_force: (n,) position in `thresholds` of those of each row; None for the first at all.

    Returns:
        Shape (n,); row t depends on rows up to t.
    """
    table = np.array(
        [(each.enter, each.exit, each.enter_short, each.exit_short) for each in thresholds]
    )
    enter, exit_long, enter_short, exit_short = table[0] if in_force is None else table[in_force].T
    longs = values > enter
    shorts = ~longs & (values < enter_short) & (side == "long_short")
    last_entry = _last_row(longs | shorts)
    entered = np.where(last_entry >= 0, np.where(longs[last_entry], 1.0, -1.0), 0.0)
    # An exit ends the position where it comes after the entry.
    exits = np.where(entered > 0.0, _last_row(values < exit_long), _last_row(values > exit_short))
    return np.where(exits > last_entry, 0.0, entered)


def _last_row(mask: npt.NDArray[np.bool_]) -> IntVector:
    """(n,) the last row up to each at which the mask is true; -1 before the first."""
    rows: IntVector = np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))
    return rows


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

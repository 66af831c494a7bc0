"""Enter at one level, leave at another, and keep what is held in between."""

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
    """Where positions begin and end, in the unit of what is compared with them.

    Attributes:
        enter: A long begins above.
        exit: A long ends below; at most `enter`.
        enter_short: A short begins below; at most `enter`.
        exit_short: A short ends above; at least `enter_short`.
    """

    enter: float
    exit: float
    enter_short: float
    exit_short: float

    @classmethod
    def symmetric(cls, enter: float, exit: float) -> EntryExitThresholds:
        """Levels whose short side is the long side with the sign turned."""
        return cls(enter, exit, -enter, -exit)


def apply_hysteresis(
    values: Vector, thresholds: Iterable[EntryExitThresholds], side: Side
) -> Vector:
    """The stance at each row: 1 long, 0 out, -1 short; it begins out of the market.

    A value that enters one side turns whatever is held; else one that leaves the held side ends
    it; else the stance stays. NaN keeps the stance.

    Args:
        values: Shape (n,).
        thresholds: One for each row.
        side: Whether shorts are allowed.

    Returns:
        Shape (n,); row t depends on rows up to t.
    """
    shorts = side == "long_short"
    stances, stance = np.empty(len(values)), 0.0
    for row, (value, level) in enumerate(zip(values.tolist(), thresholds, strict=False)):
        stances[row] = stance = _next_position(stance, value, level, allow_short=shorts)
    return stances


def _next_position(
    position: float, value: float, thresholds: EntryExitThresholds, *, allow_short: bool
) -> float:
    if value > thresholds.enter:
        return 1.0
    if allow_short and value < thresholds.enter_short:
        return -1.0
    if (position > 0 and value < thresholds.exit) or (
        position < 0 and value > thresholds.exit_short
    ):
        return 0.0
    return position

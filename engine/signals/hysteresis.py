"""Enter at one level, leave at another, and keep what is held in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.types import Vector

Side: TypeAlias = Literal["long_only", "long_short"]


@dataclass(frozen=True)
class Levels:
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
    def mirrored(cls, enter: float, exit: float) -> Levels:
        """Levels whose short side is the long side with the sign turned."""
        return cls(enter, exit, -enter, -exit)


def hold(values: Vector, levels: Iterable[Levels], side: Side) -> Vector:
    """The stance at each row: 1 long, 0 out, -1 short; it begins out of the market.

    A value that enters one side turns whatever is held; else one that leaves the held side ends
    it; else the stance stays. NaN keeps the stance.

    Args:
        values: Shape (n,).
        levels: One for each row.
        side: Whether shorts are allowed.

    Returns:
        Shape (n,); row t depends on rows up to t.
    """
    shorts = side == "long_short"
    stances, stance = np.empty(len(values)), 0.0
    for row, (value, level) in enumerate(zip(values.tolist(), levels, strict=False)):
        stances[row] = stance = _next(stance, value, level, shorts=shorts)
    return stances


def _next(stance: float, value: float, level: Levels, *, shorts: bool) -> float:
    if value > level.enter:
        return 1.0
    if shorts and value < level.enter_short:
        return -1.0
    if (stance > 0 and value < level.exit) or (stance < 0 and value > level.exit_short):
        return 0.0
    return stance

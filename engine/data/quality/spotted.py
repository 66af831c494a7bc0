"""What a rule hands back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.types import Rows


@dataclass(frozen=True)
class Spotted:
    """Bars that break one rule.

    Attributes:
        rows: Their positions in the sample, ascending. For bars that are not there: the bar
            after each hole.
        complaint: What is wrong, to follow "12 of 4000": "bars have no open".
        repair: Name of the repair that is offered; None where there is no honest one.
        factor: By what the repair multiplies prices, where it does.
        shift: By how many microseconds the repair moves timestamps back, where it does.
        absent: First and last bar that is not there, in microseconds since 1970, and how many.
        advice: What the user can do, where no repair says it.
    """

    rows: Rows
    complaint: str
    repair: str | None = None
    factor: float = 1.0
    shift: int = 0
    absent: tuple[int, int, int] | None = None
    advice: str = ""

    @property
    def count(self) -> int:
        """Bars concerned."""
        return self.absent[2] if self.absent else int(self.rows.size)

    def without(self, told: npt.NDArray[np.bool_]) -> Spotted:
        """The same of the bars that were not told yet."""
        return replace(self, rows=self.rows[~told[self.rows]])

    def at(self, rows: Rows) -> Spotted:
        """The same of bars at other positions."""
        return replace(self, rows=rows)

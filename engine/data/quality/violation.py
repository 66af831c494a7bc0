"""What a rule hands back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.core.types import IntVector


@dataclass(frozen=True)
class RuleViolation:
    """Bars that break one rule.

    Attributes:
        rows: Their positions in the sample, ascending. For bars that are not there: the bar
            after each hole.
        description: What is wrong, to follow "12 of 4000": "bars have no open".
        repair: Name of the repair that is offered; None where there is no honest one.
        price_factor: By what the repair multiplies prices, where it does.
        shift_us: By how many microseconds the repair moves timestamps back, where it does.
        missing_span: First and last bar that is not there, in microseconds since 1970, and how
            many.
        advice: What the user can do, where no repair says it.
    """

    rows: IntVector
    description: str
    repair: str | None = None
    price_factor: float = 1.0
    shift_us: int = 0
    missing_span: tuple[int, int, int] | None = None
    advice: str = ""

    @property
    def count(self) -> int:
        """Bars concerned."""
        return self.missing_span[2] if self.missing_span else int(self.rows.size)

    def excluding(self, excluded: npt.NDArray[np.bool_]) -> RuleViolation:
        """The same of the bars that were not told yet."""
        return replace(self, rows=self.rows[~excluded[self.rows]])

    def with_rows(self, rows: IntVector) -> RuleViolation:
        """The same of bars at other positions."""
        return replace(self, rows=rows)

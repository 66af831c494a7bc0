"""The unit of forecasts and outcomes: basis points of a return, or a share of the ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting.formatting import NO_BREAK_SPACE, NumberFormat

if TYPE_CHECKING:
    from engine.runs.run import Run


@dataclass(frozen=True)
class ForecastUnit:
    """How figures that the documents keep in ten thousandths are written.

    Attributes:
        name: Of the unit.
        per_bps: Units in a ten thousandth of the target.
    """

    name: str
    per_bps: float

    def amount(self, bps: float | None, digits: int = 1, *, signed: bool = False) -> str:
        """A figure of a document with its unit."""
        return self.number_format(digits, signed=signed)(
            None if bps is None else self.per_bps * bps
        )

    def number_format(self, digits: int = 1, *, signed: bool = False) -> NumberFormat:
        """The format of figures in this unit."""
        return NumberFormat(digits, f"{NO_BREAK_SPACE}{self.name}", signed=signed)


RETURN_UNIT = ForecastUnit("bps", 1.0)
RANK_UNIT = ForecastUnit("% of the ranks", 0.01)
"""From the lowest symbol of a bar, 0 %, to the highest, 100 %."""


def forecast_unit(run: Run) -> ForecastUnit:
    """That of the target of a run, see `target.transform`."""
    transform = run.manifest["strategy"].get("target", {}).get("transform")
    return RANK_UNIT if transform == "rank" else RETURN_UNIT

"""Returns by month and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.books import BUY_AND_HOLD, STRATEGY
from engine.reporting.charts.monthly import MONTHS, monthly_returns
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run


def months(run: Run) -> Section:
    """The strategy's months, with the years of holding beside them."""
    made = monthly_returns(run.returns[STRATEGY], run.returns.get(BUY_AND_HOLD))
    return Section(
        "months",
        "Months",
        {"rows": made.rows, "full_colour": made.full_colour, "names": MONTHS},
    )

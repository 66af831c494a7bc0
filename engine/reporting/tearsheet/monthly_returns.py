"""Returns by month and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.charts.monthly_returns import MONTH_LABELS, make_monthly_heatmap
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.run import Run


def monthly_returns_section(run: Run) -> TearsheetSection:
    """The strategy's months, with the years of holding beside them."""
    made = make_monthly_heatmap(run.returns[STRATEGY], run.returns.get(BUY_AND_HOLD))
    return TearsheetSection(
        "months",
        "Months",
        {"rows": made.rows, "full_colour": made.full_colour, "names": MONTH_LABELS},
    )

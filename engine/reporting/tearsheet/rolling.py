"""What the books were like lately, bar by bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.books import books_of
from engine.reporting.charts.rolling_sharpe import rolling_sharpe_chart
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run


def rolling(run: Run) -> Section:
    """Figures of the last bars at each bar."""
    books = books_of(run)
    periods = run.metrics["span"]["periods_per_year"]
    return Section(
        "rolling",
        "Rolling figures",
        {"charts": [(rolling_sharpe_chart(run.returns, books, periods_per_year=periods), books)]},
    )

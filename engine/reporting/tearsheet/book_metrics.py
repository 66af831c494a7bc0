"""The table of all books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting, metrics_table
from engine.reporting.book_styles import get_book_styles
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.run import Run


def book_metrics_section(run: Run) -> TearsheetSection:
    """Every figure of every book, the intervals of the Sharpe ratios below them."""
    in_order = get_book_styles(run)
    return TearsheetSection(
        "books",
        "Books",
        {
            "books": in_order,
            "groups": metrics_table.book_metrics_table(run.metrics, run.significance, in_order),
            "confidence": formatting.confidence_level(
                run.significance.get("method", {}).get("confidence")
            ),
        },
    )

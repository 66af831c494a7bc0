"""The table of all books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting, metrics_table
from engine.reporting.books import books_of
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run


def books(run: Run) -> Section:
    """Every figure of every book, the intervals of the Sharpe ratios below them."""
    in_order = books_of(run)
    return Section(
        "books",
        "Books",
        {
            "books": in_order,
            "groups": metrics_table.books_table(run.metrics, run.significance, in_order),
            "confidence": formatting.level(run.significance.get("method", {}).get("confidence")),
        },
    )

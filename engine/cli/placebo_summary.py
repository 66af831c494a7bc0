"""The result of `backtest placebo` on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.text_table import ASCII_SIGNS, wrap_text
from engine.core.control_characters import escape_line
from engine.reporting import formatting
from engine.reporting.placebo_page import describe_placebo, explain_kind

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.documents.placebo import PlaceboDocument


def render_placebo_text(document: PlaceboDocument, page: Path, width: int) -> str:
    """Title, p-value, what it is of, and the path of the page.

    Args:
        document: The result.
        page: Path of its page.
        width: Width of the text.
    """
    parts = (
        f"{escape_line(document.strategy)}: "
        f"{formatting.date_range(document.first, document.last)}, "
        f"{formatting.BARS(document.bars)}",
        wrap_text(describe_placebo(document), width),
        wrap_text(explain_kind(document.kind), width),
        f"placebo   {escape_line(str(page))}",
    )
    return "\n\n".join(parts).translate(ASCII_SIGNS)

"""Aligned columns and paragraphs of plain text, at most 80 characters wide."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
# Users copy figures of a terminal into spreadsheets or awk: no typographic signs.
ASCII_SIGNS = str.maketrans({formatting.MINUS_SIGN: "-", formatting.MISSING: "-", ",": None})


def format_figure(value: float | None, digits: int) -> str:
    """A number with this many decimals, or a dash for a missing one."""
    return formatting.NumberFormat(digits).without_suffix(value).translate(ASCII_SIGNS)


def align_columns(rows: Sequence[Sequence[str]], label_columns: int = 1, gap: int = 1) -> str:
    """Lines with aligned columns.

    Args:
        rows: Cells of each row; a row of one cell is a heading and sets no width.
        label_columns: Number of left-aligned columns at the left; the others are right-aligned.
        gap: Number of spaces between two columns.
    """
    columns = max(map(len, rows))
    widths = [
        max((len(row[column]) for row in rows if len(row) > max(column, 1)), default=0)
        for column in range(columns)
    ]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < label_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append((" " * gap).join(cells).rstrip())
    return "\n".join(lines)


def wrap_note(text: str) -> str:
    """A paragraph under a table, indented after its first line."""
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False)

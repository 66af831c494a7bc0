"""Columns of plain text that line up, in at most 80 characters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
# A figure on a terminal is copied into a sheet or read by awk: no typographic signs.
ASCII_SIGNS = str.maketrans({formatting.MINUS_SIGN: "-", formatting.MISSING: "-", ",": None})


def format_figure(value: float | None, digits: int) -> str:
    """A number with so many decimals; a dash where there is none."""
    return formatting.NumberFormat(digits).without_suffix(value).translate(ASCII_SIGNS)


def align_columns(rows: Sequence[Sequence[str]], label_columns: int = 1, gap: int = 1) -> str:
    """Lines whose columns line up.

    Args:
        rows: Cells; a single one is a heading of its own and sets no width.
        label_columns: Columns at the left that are flush left; all others are flush right.
        gap: Spaces between two columns.
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
    """A paragraph under a table, indented from its second line on."""
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False)

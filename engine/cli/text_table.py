"""Text tables that fit the terminal, and the colours of their cells.

Figures are never wrapped or truncated: on a narrow terminal whole columns are left out, those of
the highest `drop_priority` first. In a pipe all columns are printed in full, without colours.
`rich.table` is not used: it truncates or folds figures instead of leaving columns out, keeps only
the beginning of a truncated cell, and takes about 50 ms to import.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.cli.terminal import BAD, GOOD, NAME, POOR, display_width, styled
from engine.core.control_characters import escape_line

if TYPE_CHECKING:
    from collections.abc import Sequence

# Terminal output is copied into spreadsheets or read by awk: typographic signs are for pages.
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
ASCII_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", NO_BREAK_SPACE: " "})

COLUMN_GAP = "  "
UNBOUNDED_WIDTH = 10_000
MAX_PROSE_WIDTH = 80

GRADE_COLOURS = {"none": BAD, "weak": POOR, "moderate": GOOD, "strong": GOOD}
SEVERITY_COLOURS = {"error": BAD, "warn": POOR, "repair": NAME}
STATUS_COLOURS = {"finished": GOOD, "failed": BAD, "interrupted": POOR, "running": NAME}


@dataclass(frozen=True)
class TextTableColumn:
    """A column of a table.

    Attributes:
        drop_priority: Columns with the highest value are left out first.
        heading: One line.
        cells: One line each; control characters in them are shown escaped.
        align_right: Whether cells are aligned to the right, as figures are.
        min_width: Width to which cells may be truncated; 0 where they must not be.
        keep_end: Whether a truncated cell keeps its end instead of its beginning.
        colours: Colour of each cell; empty for none.
    """

    drop_priority: int
    heading: str
    cells: Sequence[str]
    align_right: bool = True
    min_width: int = 0
    keep_end: bool = False
    colours: Sequence[str | None] = ()

    @property
    def width(self) -> int:
        """Width of the widest cell."""
        return max(display_width(self.heading), *map(display_width, self._shown_cells), 1)

    @property
    def required_width(self) -> int:
        """Least width of the column."""
        return min(self.width, self.min_width) if self.min_width else self.width

    @property
    def _shown_cells(self) -> list[str]:
        return [escape_line(cell) for cell in self.cells]

    def render_lines(self, width: int, *, last: bool) -> list[str]:
        """Heading and cells, padded and coloured; the last column has no trailing spaces.

        Trailing spaces inside colour codes could not be stripped from the finished line.
        """
        truncated = [
            _truncate(cell, width, keep_end=self.keep_end)
            for cell in (self.heading, *self._shown_cells)
        ]
        spaces = [" " * (width - display_width(cell)) for cell in truncated]
        left_aligned = [
            cell if last else cell + space for cell, space in zip(truncated, spaces, strict=True)
        ]
        right_aligned = [space + cell for cell, space in zip(truncated, spaces, strict=True)]
        padded = right_aligned if self.align_right else left_aligned
        colours = (None, *(self.colours or [None] * len(self.cells)))
        return [
            styled(padded[0], "bold"),
            *(styled(*pair) for pair in zip(padded[1:], colours[1:], strict=True)),
        ]


def sign_colours(values: Sequence[float | None]) -> list[str | None]:
    """Colour of each figure by its sign."""
    return [None if not value else GOOD if value > 0 else BAD for value in values]


def render_table(columns: Sequence[TextTableColumn], width: int) -> list[str]:
    """One line per row, headings first, no line wider than `width` where possible.

    Cells with a `min_width` are truncated before a column is left out; the first column stays.
    """
    kept = list(columns)
    while len(kept) > 1 and _total_width([column.required_width for column in kept]) > width:
        kept.remove(max(kept[1:], key=lambda column: column.drop_priority))
    widths = [column.width for column in kept]
    while _total_width(widths) > width:
        shrinkable = [
            index for index, column in enumerate(kept) if widths[index] > column.required_width
        ]
        if not shrinkable:
            break
        widths[max(shrinkable, key=widths.__getitem__)] -= 1
    blocks = [
        column.render_lines(size, last=column is kept[-1])
        for column, size in zip(kept, widths, strict=True)
    ]
    return [COLUMN_GAP.join(cells).rstrip() for cells in zip(*blocks, strict=True)]


def output_width() -> int:
    """Width of the terminal on stdout, or the value of COLUMNS; unbounded in a pipe."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size().columns
    return UNBOUNDED_WIDTH


def prose_width() -> int:
    """Width of sentences: that of the terminal, at most 80 columns for readability."""
    return min(output_width(), MAX_PROSE_WIDTH)


def wrap_text(text: str, width: int) -> str:
    """Wraps between words; a number and its unit, and an equation, stay on one line."""
    joined = text.replace(" %", f"{NO_BREAK_SPACE}%").replace(
        " = ", f"{NO_BREAK_SPACE}={NO_BREAK_SPACE}"
    )
    return textwrap.fill(joined, width, break_long_words=False)


def _total_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)


def _truncate(cell: str, width: int, *, keep_end: bool) -> str:
    if display_width(cell) <= width:
        return cell
    while cell and display_width(cell) > width - 2:
        cell = cell[1:] if keep_end else cell[:-1]
    return f"..{cell}" if keep_end else f"{cell}.."

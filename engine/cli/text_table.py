"""Tables of text that fit where they are shown, and the colours of their cells.

Figures are never wrapped or cut: where there is little room, whole columns are left out, those of
the highest rank first. In a pipe all columns are there, uncut, and without colours.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMN_GAP = "  "
UNBOUNDED_WIDTH = 10_000
MAX_PROSE_WIDTH = 80
_ANSI_CODES = re.compile(r"\x1b\[[0-9;]*m")

GOOD, POOR, BAD, FAINT = "green", "yellow", "red", "bright_black"

GRADE_COLOURS = {"none": BAD, "weak": POOR, "moderate": GOOD, "strong": GOOD}
SEVERITY_COLOURS = {"error": BAD, "warn": POOR, "repair": "cyan"}
STATUS_COLOURS = {"finished": GOOD, "failed": BAD, "interrupted": POOR, "running": "cyan"}


@dataclass(frozen=True)
class TextTableColumn:
    """A column of a table.

    Attributes:
        drop_priority: Columns of the lowest rank stay where there is little room.
        heading: One line.
        cells: A line each.
        align_right: Whether the cells are figures, which stand to the right.
        min_width: Width that cells may be cut to; 0 where they may not.
        keep_end: Whether the end of a cell that is cut stays, not its beginning.
        colours: Of each cell, or none.
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
        """Of the widest cell."""
        return max(len(self.heading), *map(len, self.cells), 1)

    @property
    def required_width(self) -> int:
        """What the column has to have."""
        return min(self.width, self.min_width) if self.min_width else self.width

    def render_lines(self, width: int, *, last: bool) -> list[str]:
        """The heading and the cells, each of that width, in colour; the last has no spaces after.

        Colour codes end what can be stripped from a line, so that spaces must not get inside.
        """
        cut = [_truncate(cell, width, tail=self.keep_end) for cell in (self.heading, *self.cells)]
        filled = [cell if last else cell.ljust(width) for cell in cut]
        padded = [cell.rjust(width) for cell in cut] if self.align_right else filled
        colours = (None, *(self.colours or [None] * len(self.cells)))
        return [
            typer.style(padded[0], bold=True),
            *(colourise(*pair) for pair in zip(padded[1:], colours[1:], strict=True)),
        ]


def colourise(text: str, colour: str | None) -> str:
    """Text in a colour; `print_text` takes it out again where none is wanted."""
    return typer.style(text, fg=colour) if colour else text


def strip_colours(text: str) -> str:
    """Text without the codes that colour it."""
    return _ANSI_CODES.sub("", text)


def sign_colours(values: Sequence[float | None]) -> list[str | None]:
    """Colours of figures by their sign."""
    return [None if not value else GOOD if value > 0 else BAD for value in values]


def render_table(columns: Sequence[TextTableColumn], width: int) -> list[str]:
    """A line a row, the headings first, none wider than `width` while that can be.

    What may be cut is cut before a column is left out; the first column always stays.
    """
    kept = list(columns)
    while len(kept) > 1 and _total_width([column.required_width for column in kept]) > width:
        kept.remove(max(kept[1:], key=lambda column: column.drop_priority))
    widths = [column.width for column in kept]
    while _total_width(widths) > width:
        soft = [p for p, c in enumerate(kept) if widths[p] > c.required_width]
        if not soft:
            break
        widths[max(soft, key=widths.__getitem__)] -= 1
    blocks = [
        column.render_lines(size, last=column is kept[-1])
        for column, size in zip(kept, widths, strict=True)
    ]
    return [COLUMN_GAP.join(cells).rstrip() for cells in zip(*blocks, strict=True)]


def output_width() -> int:
    """Columns of the terminal on stdout, or what COLUMNS says; in a pipe as many as it takes."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size().columns
    return UNBOUNDED_WIDTH


def prose_width() -> int:
    """Columns for sentences: no more than 80, which is as far as an eye follows a line."""
    return min(output_width(), MAX_PROSE_WIDTH)


def wants_colours(stream: TextIO) -> bool:
    """Whether colours are wanted there.

    NO_COLOR forbids them and FORCE_COLOR asks for them, where they are not empty; else a terminal
    has them, unless it says that it is a dumb one.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def print_text(text: str) -> None:
    """Prints on stdout, with the colours of the text where they are wanted."""
    typer.echo(text, color=wants_colours(sys.stdout))


def _total_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(COLUMN_GAP) * (len(widths) - 1)


def _truncate(cell: str, size: int, *, tail: bool) -> str:
    if len(cell) <= size:
        return cell
    return f"..{cell[2 - size :]}" if tail else f"{cell[: size - 2]}.."

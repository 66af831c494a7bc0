"""What a column says when one of its cells cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SPREADSHEET_FIX = "correct the file; a spreadsheet may have rewritten its numbers and dates"


@dataclass(frozen=True)
class ParseFailure:
    """The first cell of a column that cannot be read, or can be read in two ways.

    Attributes:
        row: Its position, from 0.
        found: What it says, and every reading it has.
        expected: What would have been right.
        fix: What the user can do.
        rule: `damaged_numbers`, `ambiguous_dates`, or `unreadable` for all others.
        count: Cells of the column that cannot be read, this one included.
    """

    row: int
    found: str
    expected: str
    fix: str = SPREADSHEET_FIX
    rule: Literal["unreadable", "damaged_numbers", "ambiguous_dates"] = "unreadable"
    count: int = 1

"""A cell that cannot be parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SPREADSHEET_FIX = "correct the file; a spreadsheet may have rewritten its numbers and dates"


@dataclass(frozen=True)
class ParseFailure:
    """The first cell of a column that cannot be parsed, or has two interpretations.

    Attributes:
        row: Its position, from 0.
        found: Its text, and every interpretation of it.
        expected: What a valid cell has.
        fix: What the user can do.
        rule: `damaged_numbers`, `ambiguous_dates`, or `unreadable` for all others.
        count: Number of cells of the column that cannot be parsed, this one included.
    """

    row: int
    found: str
    expected: str
    fix: str = SPREADSHEET_FIX
    rule: Literal["unreadable", "damaged_numbers", "ambiguous_dates"] = "unreadable"
    count: int = 1

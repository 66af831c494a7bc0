"""Tables of many rows, which the script of the page can sort and filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.reporting.formatting import Unit


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        label: Its head.
        sort: By what its cells are put in order; `none`: they are not.
    """

    label: str
    sort: Literal["number", "text", "none"] = "number"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: As it is read.
        value: By which it is sorted; empty where that is the text.
        code: Whether it is to be copied to the letter.
        title: The whole of what the text shortens; maybe empty.
    """

    text: str
    value: str = ""
    code: bool = False
    title: str = ""


@dataclass(frozen=True)
class Listing:
    """A table.

    Attributes:
        label: What it lists.
        columns: The first one's cells are the heads of the rows.
        rows: A cell a column each.
        filter: What its filter is called; empty for a table too short to need one.
    """

    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    filter: str = ""


def figure(unit: Unit, value: float | None) -> Cell:
    """A cell with a figure, sorted by its exact value; one that does not exist comes last."""
    if value is None or not formatting.exists(value):
        return Cell(formatting.MISSING)
    return Cell(unit(value), formatting.exact(value))

"""Tables of many rows, which the script of the page can sort and filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class DataTableColumn:
    """One column.

    Attributes:
        label: Its head.
        sort_by: By what its cells are put in order; `none`: they are not.
    """

    label: str
    sort_by: Literal["number", "text", "none"] = "number"


@dataclass(frozen=True)
class DataTableCell:
    """One cell.

    Attributes:
        text: As it is read.
        sort_value: By which it is sorted; empty where that is the text.
        is_code: Whether it is to be copied to the letter.
        tooltip: The whole of what the text shortens; maybe empty.
    """

    text: str
    sort_value: str = ""
    is_code: bool = False
    tooltip: str = ""


@dataclass(frozen=True)
class DataTable:
    """A table.

    Attributes:
        label: What it lists.
        columns: The first one's cells are the heads of the rows.
        rows: A cell a column each.
        filter_label: What its filter is called; empty for a table too short to need one.
    """

    label: str
    columns: tuple[DataTableColumn, ...]
    rows: tuple[tuple[DataTableCell, ...], ...]
    filter_label: str = ""


def number_cell(number_format: NumberFormat, value: float | None) -> DataTableCell:
    """A cell with a figure, sorted by its exact value; one that does not exist comes last."""
    if value is None or not formatting.is_finite(value):
        return DataTableCell(formatting.MISSING)
    return DataTableCell(number_format(value), formatting.full_precision(value))

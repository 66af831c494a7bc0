"""Tables of the pages: `PlainTable` of texts, `DataTable` with cells to sort and filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class PlainTable:
    """A table of texts.

    Attributes:
        columns: Column headings; the first one is that of the row names.
        rows: The name of each row, then its cells as text.
        note: Text below the table: which p-values are adjusted, and over how many tests.
        title: Text above the table; empty where the section has one table only.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    title: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether it has one column of figures, so that two tables fit side by side."""
        return len(self.columns) == 2


@dataclass(frozen=True)
class DataTableColumn:
    """One column of a `DataTable`.

    Attributes:
        label: Its heading.
        sort_by: How its cells are sorted; `none`: they are not.
    """

    label: str
    sort_by: Literal["number", "text", "none"] = "number"


@dataclass(frozen=True)
class DataTableCell:
    """One cell of a `DataTable`.

    Attributes:
        text: As shown.
        sort_value: Value it is sorted by; empty where that is the text.
        is_code: Whether it is shown as code.
        tooltip: The full text where `text` is shortened; may be empty.
    """

    text: str
    sort_value: str = ""
    is_code: bool = False
    tooltip: str = ""


@dataclass(frozen=True)
class DataTable:
    """A table of many rows that the script of the page can sort and filter.

    Attributes:
        label: What its rows are.
        columns: The cells of the first one are the headings of the rows.
        rows: One cell for each column.
        filter_label: Label of its filter field; empty for a table without one.
    """

    label: str
    columns: tuple[DataTableColumn, ...]
    rows: tuple[tuple[DataTableCell, ...], ...]
    filter_label: str = ""


def number_cell(number_format: NumberFormat, value: float | None) -> DataTableCell:
    """A cell with a figure, sorted by its exact value; missing figures come last."""
    if value is None or not formatting.is_finite(value):
        return DataTableCell(formatting.MISSING)
    return DataTableCell(number_format(value), formatting.full_precision(value))

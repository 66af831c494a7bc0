"""Heat map: one figure over two settings, as a table of coloured cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class HeatmapCell:
    """One figure.

    Attributes:
        text: The figure with its sign.
        css: `gain`, `loss` or `none`, and `chosen` for the settings of the run.
        strength: Intensity of the colour, 0 to 100.
    """

    text: str
    css: str
    strength: int


@dataclass(frozen=True)
class Heatmap:
    """A heat map.

    Attributes:
        title: The setting that all cells share.
        column_label: Label of the columns.
        columns: Headings of the columns.
        row_label: Label of the rows.
        rows: Heading and cells of each row.
    """

    title: str
    column_label: str
    columns: tuple[str, ...]
    row_label: str
    rows: tuple[tuple[str, tuple[HeatmapCell, ...]], ...]


def heatmap_cells(
    values: Sequence[float | None],
    *,
    full_colour: float,
    number_format: NumberFormat,
    chosen_index: int | None,
) -> tuple[HeatmapCell, ...]:
    """A row of cells.

    Args:
        values: None where there is no figure.
        full_colour: Absolute value at which the colour is full, above 0.
        number_format: Format of the figures.
        chosen_index: Index of the cell with the settings of the run.
    """
    return tuple(
        _heatmap_cell(value, full_colour, number_format, is_chosen=index == chosen_index)
        for index, value in enumerate(values)
    )


def _heatmap_cell(
    value: float | None, full_colour: float, number_format: NumberFormat, *, is_chosen: bool
) -> HeatmapCell:
    mark = " chosen" if is_chosen else ""
    if value is None or not formatting.is_finite(value):
        return HeatmapCell(formatting.MISSING, f"none{mark}", 0)
    css = "gain" if value > 0 else "loss"
    return HeatmapCell(
        number_format(value), css + mark, round(100 * min(1.0, abs(value) / full_colour))
    )

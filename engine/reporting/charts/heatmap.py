"""One figure over two settings, as a small table whose cells are coloured by it."""

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
        text: The figure with its sign: colour only repeats it.
        css: `gain`, `loss` or `none`, and `chosen` where the run itself stands.
        strength: Colour, 0 to 100.
    """

    text: str
    css: str
    strength: int


@dataclass(frozen=True)
class Heatmap:
    """A map.

    Attributes:
        title: What is the same in all of it.
        column_label: What its columns are.
        columns: Their heads.
        row_label: What its rows are.
        rows: Head and cells of each.
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
        full_colour: Size at which the colour is full, above 0.
        number_format: How figures are written.
        chosen_index: Place of the run's own cell.
    """
    return tuple(
        _heatmap_cell(value, full_colour, number_format, is_chosen=place == chosen_index)
        for place, value in enumerate(values)
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

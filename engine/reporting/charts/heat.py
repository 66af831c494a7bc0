"""One figure over two settings, as a small table whose cells are coloured by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.formatting import Unit


@dataclass(frozen=True)
class HeatCell:
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
class Heat:
    """A map.

    Attributes:
        title: What is the same in all of it.
        across: What its columns are.
        columns: Their heads.
        down: What its rows are.
        rows: Head and cells of each.
    """

    title: str
    across: str
    columns: tuple[str, ...]
    down: str
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]


def heat_cells(
    values: Sequence[float | None], *, full: float, unit: Unit, chosen: int | None
) -> tuple[HeatCell, ...]:
    """A row of cells.

    Args:
        values: None where there is no figure.
        full: Size at which the colour is full, above 0.
        unit: How figures are written.
        chosen: Place of the run's own cell.
    """
    return tuple(
        _cell(value, full, unit, chosen=place == chosen) for place, value in enumerate(values)
    )


def _cell(value: float | None, full: float, unit: Unit, *, chosen: bool) -> HeatCell:
    mark = " chosen" if chosen else ""
    if value is None or not formatting.exists(value):
        return HeatCell(formatting.MISSING, f"none{mark}", 0)
    css = "gain" if value > 0 else "loss"
    return HeatCell(unit(value), css + mark, round(100 * min(1.0, abs(value) / full)))

"""Rows of the tables of figures: label, format and text of each cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.formatting import NumberFormat
    from engine.runs.documents.metrics import BookMetrics, HorizonScores


@dataclass(frozen=True)
class MetricDefinition:
    """One figure of the metrics document.

    Attributes:
        key: Its attribute there.
        label: Its name in the table.
        number_format: Its format.
        description: Its meaning in one line.
        better_when: Whether the `high` or the `low` end of the row is better; empty for neither.
        scale: What a figure is multiplied by before it is written.
    """

    key: str
    label: str
    number_format: NumberFormat
    description: str
    better_when: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class MetricsCell:
    """A cell: its text, a second smaller line, and whether it is the best of its row."""

    text: str
    subtext: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class MetricsRow:
    """A row: label, meaning, and one cell for each column."""

    label: str
    description: str
    cells: tuple[MetricsCell, ...]


def metrics_row(
    metric: MetricDefinition,
    columns: Sequence[BookMetrics | HorizonScores],
    subtexts: Sequence[str] = (),
) -> MetricsRow:
    """The row of one figure; no cell is the best where two are equally good.

    Args:
        metric: The figure.
        columns: Figures of each column.
        subtexts: Second line of each cell; empty for no second lines.
    """
    values: list[float | None] = [getattr(column, metric.key) for column in columns]
    known = [value for value in values if value is not None]
    pick = {"high": max, "low": min}.get(metric.better_when)
    best = pick(known) if pick and len(known) > 1 else math.nan
    best = math.nan if known.count(best) > 1 else best
    cells = tuple(
        MetricsCell(
            metric.number_format(None if value is None else metric.scale * value),
            subtext,
            value == best,
        )
        for value, subtext in zip(values, subtexts or [""] * len(values), strict=True)
    )
    return MetricsRow(metric.label, metric.description, cells)

"""Charts over time as values: panels, their series, and the rows that are drawn.

The page stretches a chart to any width; its lines keep their thickness, its labels are ordinary
text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts.svg_paths import line_path, to_json_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.reporting.book_styles import BookStyle
    from engine.reporting.charts.axes import Axis, AxisTick, TimeAxis
    from engine.reporting.formatting import NumberFormat

MAX_ROWS_IN_FULL = 10_000
"""Number of bars up to which every bar is drawn."""

MAX_DOWNSAMPLING_STEPS = 800
"""Largest number of steps into which a longer chart is divided."""

MAX_DRAWN_VALUES = 40_000
"""Largest number of figures of one chart, which limits the size of the page."""


@dataclass(frozen=True)
class LineSeries:
    """One series.

    Attributes:
        key: Key of the book, or another name; lines with the same key are switched together.
        label: In the legend and in the tooltip; empty for the edge of an area.
        css: Classes of its colour and dashes.
        path: SVG path in the square of `VIEWBOX_SIZE` units; empty where there is nothing to draw.
        values: Figure of each drawn bar, None where there is none.
    """

    key: str
    label: str
    css: str
    path: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Area:
    """A filled shape.

    Attributes:
        css: Classes of its colour.
        path: SVG path; empty where there is nothing to fill.
        line_key: Key of the line of this chart that it is drawn from; empty outside a time chart.
        shape: `under` fills from the line to the baseline; `steps` does so with each figure
            lasting until the next bar; `above` and `below` are full-height bands over the bars
            with a figure above or below zero; `between` fills up to a second line.
        other_key: Key of the second line of `between`.
    """

    css: str
    path: str
    line_key: str = ""
    shape: Literal["under", "steps", "above", "below", "between"] = "under"
    other_key: str = ""


@dataclass(frozen=True)
class AxisRescaling:
    """How the page rescales the vertical axis of a panel to the bars shown.

    Attributes:
        log: Whether equal distances are equal ratios.
        ticks: Approximate largest number of ticks of a linear axis.
        always: Figures that the axis always includes.
        baseline: Figure of the reference line, if the panel has one.
        rebased: Label of the axis where figures are relative to the first bar shown, which is
            added to the label; empty where figures are absolute.
    """

    log: bool = False
    ticks: int = 5
    always: tuple[float, ...] = (0.0,)
    baseline: float = 0.0
    rebased: str = ""


@dataclass(frozen=True)
class ChartPanel:
    """One panel of a chart; the panels of a chart share its time axis.

    Attributes:
        label: What the vertical axis measures.
        height: Its height on the page.
        ticks: Of the vertical axis.
        number_format: Format of its figures in the tooltip.
        lines: Series, drawn in this order.
        areas: Filled shapes behind the lines.
        baseline: Position of the reference line in `VIEWBOX_SIZE` units from the top, if any.
        rescaling: How its vertical axis is rescaled to a part of the span.
    """

    label: str
    height: Literal["tall", "medium", "short"]
    ticks: tuple[AxisTick, ...]
    number_format: NumberFormat
    lines: tuple[LineSeries, ...]
    areas: tuple[Area, ...] = ()
    baseline: int | None = None
    rescaling: AxisRescaling = AxisRescaling()


@dataclass(frozen=True)
class TimeChart:
    """A chart over time.

    Attributes:
        key: Its id in the page.
        title: A noun.
        description: What it shows, in one or two sentences.
        span: First bar, last bar and number of bars.
        ticks: Of the time axis.
        unix_seconds: Unix time of each drawn bar.
        panels: From top to bottom.
        notes: Further sentences below the chart.
        finding: What its figures show, in one sentence; may be empty.
        swatches: Class of the colour and label of each series, where no books are in the legend.
    """

    key: str
    title: str
    description: str
    span: str
    ticks: tuple[AxisTick, ...]
    unix_seconds: tuple[int, ...]
    panels: tuple[ChartPanel, ...]
    notes: tuple[str, ...] = field(default=())
    finding: str = ""
    swatches: tuple[tuple[str, str], ...] = ()


def downsample_rows(table: pd.DataFrame, *, max_rows: int = MAX_ROWS_IN_FULL) -> pd.DataFrame:
    """The rows to draw: all of them, or those that keep the outline of a long table.

    A table of more than `max_rows` rows, or of more than `MAX_DRAWN_VALUES` figures, is divided
    into equal steps. The first and the last row of each step are kept, and for every column the
    rows of its lowest and highest value, so that no peak and no trough is lost (M4 aggregation).

    Source: Jugel et al. 2014, "M4: a visualization-oriented time series data aggregation".
    """
    columns = max(1, len(table.columns))
    if len(table) <= min(max_rows, MAX_DRAWN_VALUES // columns):
        return table
    count = min(MAX_DOWNSAMPLING_STEPS, max(1, MAX_DRAWN_VALUES // (columns * (2 + 2 * columns))))
    steps = np.linspace(0, len(table), count + 1).astype(int)
    values = table.to_numpy(dtype=np.float64)
    kept = {0, len(table) - 1}
    for start, stop in pairwise(steps.tolist()):
        part = values[start:stop]
        kept |= {start, stop - 1}
        kept |= set((start + np.argmin(np.nan_to_num(part, nan=np.inf), axis=0)).tolist())
        kept |= set((start + np.argmax(np.nan_to_num(part, nan=-np.inf), axis=0)).tolist())
    return table.iloc[sorted(kept)]


def downsampling_note(bars: int, drawn: int) -> tuple[str, ...]:
    """A note on the rows that `downsample_rows` left out; empty where it kept all."""
    if drawn == bars:
        return ()
    return (
        f"Drawn at {formatting.COUNT(drawn)} of {formatting.COUNT(bars)} bars: the first, the "
        "last, the lowest and the highest value of each line in equal steps.",
    )


def describe_span(index: pd.Index) -> str:
    """First bar, last bar and their number."""
    return f"{formatting.date_range(index[0], index[-1])}, {formatting.BARS(len(index))}"


def to_unix_seconds(index: pd.DatetimeIndex) -> tuple[int, ...]:
    """Unix time of each bar."""
    return tuple(index.as_unit("s").asi8.tolist())


def chart_data(chart: TimeChart) -> dict[str, object]:
    """Data for the script of the page: the figures of every line, the top line first.

    The script shows them in the tooltip and draws a part of the span from them. `seconds` has the
    first time and then differences, which takes a third of the text.
    """
    steps = [chart.unix_seconds[0], *np.diff(chart.unix_seconds).tolist()]
    panels = [
        {
            "unit": asdict(panel.number_format),
            "scale": asdict(panel.rescaling),
            "lines": [
                {name: getattr(line, name) for name in ("key", "label", "css", "values")}
                for line in reversed(panel.lines)
            ],
            "areas": [
                {"line": area.line_key, "shape": area.shape}
                | ({"other": area.other_key} if area.other_key else {})
                for area in panel.areas
            ],
        }
        for panel in chart.panels
    ]
    return {"seconds": steps, "panels": panels}


def book_line_series(
    table: pd.DataFrame, books: Sequence[BookStyle], time_axis: TimeAxis, value_axis: Axis
) -> tuple[LineSeries, ...]:
    """A line for each book, the strategy last, so that it is drawn on top.

    Args:
        table: Index timestamp, one column for each book.
        books: In the order of the legend.
        time_axis: Horizontal axis.
        value_axis: Vertical axis.
    """
    return tuple(
        LineSeries(
            book.key,
            book.label,
            f"{book.hue} {book.dash}",
            line_path(
                time_axis.to_fraction(pd.DatetimeIndex(table.index)),
                value_axis.to_fraction(_column_values(table, book.key)),
            ),
            to_json_values(_column_values(table, book.key)),
        )
        for book in reversed(books)
    )


def _column_values(table: pd.DataFrame, key: str) -> Vector:
    return table[key].to_numpy(dtype=np.float64)

"""Charts over time as values, and how a series becomes a path.

A chart is drawn in a square of `VIEWBOX_SIZE` units that the page stretches to any width, so that
one drawing serves a phone, a desk and paper; lines keep their thickness, labels are ordinary text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import Vector
    from engine.reporting.book_styles import BookStyle
    from engine.reporting.charts.axes import Axis, AxisTick, TimeAxis
    from engine.reporting.formatting import NumberFormat

VIEWBOX_SIZE = 10_000

MAX_ROWS_IN_FULL = 10_000
"""Bars up to which every single one is drawn."""

MAX_DOWNSAMPLING_STEPS = 800
"""Steps into which a longer chart is cut, at most."""

MAX_DRAWN_VALUES = 40_000
"""Figures of one chart, all its lines together, so that a page of many books stays small."""


@dataclass(frozen=True)
class LineSeries:
    """One series.

    Attributes:
        key: Of the book, or any other name; lines of one key are switched together.
        label: In the legend and under the pointer.
        css: Classes of its colour and dashes.
        path: SVG path in the square of `VIEWBOX_SIZE` units; empty where there is nothing to draw.
        values: Figures under the pointer, one a drawn bar, None where there is none.
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
        line_key: Key of the line of this chart whose figures it is made of; empty in a drawing
            that is no chart over time.
        shape: `under` fills from the line to the baseline, `steps` likewise with each figure
            lasting until the next bar; `above` and `below` are full-height bands over the bars
            whose figure is above or below zero.
    """

    css: str
    path: str
    line_key: str = ""
    shape: Literal["under", "steps", "above", "below"] = "under"


@dataclass(frozen=True)
class AxisRescaling:
    """How the page makes a panel's vertical axis anew for the bars it is asked to show.

    Attributes:
        log: Whether equal distances are equal ratios.
        ticks: How many a linear axis has at most, roughly.
        always: Figures that the axis spans whatever is shown.
        baseline: Figure of the reference line, if the panel has one.
        rebased: What the axis measures where figures are told relative to those of the first bar
            shown, which then follows in the label; empty where they are not.
    """

    log: bool = False
    ticks: int = 5
    always: tuple[float, ...] = (0.0,)
    baseline: float = 0.0
    rebased: str = ""


@dataclass(frozen=True)
class ChartPanel:
    """One plot of a chart; the panels of a chart share its time axis.

    Attributes:
        label: What the vertical axis measures.
        height: How tall it is drawn.
        ticks: Of the vertical axis.
        number_format: How its figures are written under the pointer.
        lines: Series, drawn in this order.
        areas: Filled shapes behind them.
        baseline: Height of the reference line in `VIEWBOX_SIZE` units from the top, if there is
            one.
        rescaling: How its vertical axis is made anew for a part of the span.
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
        description: What it shows, in a sentence or two.
        span: Over which bars.
        ticks: Of the time axis.
        unix_seconds: Unix time of each drawn bar.
        panels: From the top down.
        notes: What else the reader must know, sentences.
        finding: What its figures say, one plain sentence computed from them; maybe empty.
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


def downsample_rows(table: pd.DataFrame, *, max_rows: int = MAX_ROWS_IN_FULL) -> pd.DataFrame:
    """The rows to draw: all of them, or of a long table those that keep its outline.

    A table of more than `max_rows` rows, or of more than `MAX_DRAWN_VALUES` figures, is cut into
    equal steps; of each the first and the last row stay, and for every column the rows of its
    lowest and highest value, so that no peak and no trough is lost (the M4 aggregation).

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
    """Says what `downsample_rows` left out; nothing where it left out nothing."""
    if drawn == bars:
        return ()
    return (
        f"Drawn at {formatting.COUNT(drawn)} of {formatting.COUNT(bars)} bars: the first and the "
        "last of equal steps, and each line's lowest and highest in them.",
    )


def describe_span(index: pd.DatetimeIndex) -> str:
    """First bar, last bar and their number."""
    return f"{formatting.date_range(index[0], index[-1])}, {formatting.BARS(len(index))}"


def to_unix_seconds(index: pd.DatetimeIndex) -> tuple[int, ...]:
    """Unix time of each bar."""
    return tuple(index.as_unit("s").asi8.tolist())


def chart_data(chart: TimeChart) -> dict[str, object]:
    """What the script of the page needs: the figures of every line, uppermost first.

    With them it tells what is under the pointer and draws a part of the span anew. `seconds`
    holds the first time and then steps, which is a third of the text.
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
            "areas": [{"line": area.line_key, "shape": area.shape} for area in panel.areas],
        }
        for panel in chart.panels
    ]
    return {"seconds": steps, "panels": panels}


def book_line_series(
    table: pd.DataFrame, books: Sequence[BookStyle], time_axis: TimeAxis, value_axis: Axis
) -> tuple[LineSeries, ...]:
    """A line a book, the strategy last, so that it lies on top.

    Args:
        table: Index timestamp, a column a book.
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
                time_axis.to_fraction(_datetime_index(table)),
                value_axis.to_fraction(_column_values(table, book.key)),
            ),
            to_json_values(_column_values(table, book.key)),
        )
        for book in reversed(books)
    )


def line_path(x_fractions: Vector, y_fractions: Vector) -> str:
    """An SVG path through the points; it breaks where a coordinate is NaN.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        y_fractions: Shape (n,), fractions from the bottom.
    """
    known = np.isfinite(x_fractions) & np.isfinite(y_fractions)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.astype(np.int8), [0]))))
    pieces = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        x, y = (
            _to_viewbox_units(x_fractions[start:stop]),
            _to_viewbox_units(1.0 - y_fractions[start:stop]),
        )
        moves = np.column_stack((np.diff(x), np.diff(y))).ravel()
        pieces.append(f"M{x[0]} {y[0]}l{' '.join(map(str, moves.tolist()))}" if len(x) > 1 else "")
    return "".join(pieces)


def step_area_path(x_fractions: Vector, y_fractions: Vector, floor: float) -> str:
    """A closed SVG path under steps: each height lasts until the next bar.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        y_fractions: Shape (n,), fractions from the bottom, no NaN.
        floor: Height on which the shape stands.
    """
    x, y, ground = (
        _to_viewbox_units(x_fractions),
        _to_viewbox_units(1.0 - y_fractions),
        round(VIEWBOX_SIZE * (1.0 - floor)),
    )
    turns = np.flatnonzero(np.diff(y)) + 1
    steps = "".join(f"H{x[row]}V{y[row]}" for row in turns.tolist())
    return f"M{x[0]} {ground}V{y[0]}{steps}H{x[-1]}V{ground}Z"


def band_path(x_fractions: Vector, mask: npt.NDArray[np.bool_]) -> str:
    """An SVG path of full-height bands over the bars where `mask`, each until the next bar.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        mask: Shape (n,).
    """
    x = _to_viewbox_units(x_fractions)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    ends = np.minimum(edges[1::2], len(x) - 1)
    return "".join(
        f"M{x[start]} 0H{x[end]}V{VIEWBOX_SIZE}H{x[start]}Z"
        for start, end in zip(edges[::2].tolist(), ends.tolist(), strict=True)
    )


def to_json_values(values: Vector) -> tuple[float | None, ...]:
    """Figures for the page's data: seven significant digits, None for NaN."""
    return tuple(float(f"{value:.7g}") if np.isfinite(value) else None for value in values)


def distance_from_top(axis: Axis, value: float) -> int:
    """Height of a value in `VIEWBOX_SIZE` units from the top."""
    return int(_to_viewbox_units(1.0 - axis.to_fraction(np.array([value])))[0])


def _to_viewbox_units(fractions: Vector) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.rint(VIEWBOX_SIZE * fractions).astype(np.int64)


def _datetime_index(table: pd.DataFrame) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(table.index)


def _column_values(table: pd.DataFrame, key: str) -> Vector:
    return table[key].to_numpy(dtype=np.float64)

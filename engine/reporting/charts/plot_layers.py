"""Layers of a plot: dots, bars, lines, bands and whiskers, with the figures that they draw.

They are drawn in the same square as the lines of a time chart (`svg_paths`), which the page
stretches to any width: lines keep their thickness, and a dot is a line of zero length with a round
cap, so that it stays round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.reporting.charts.svg_paths import line_path, to_json_values, to_viewbox_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.reporting.charts.axes import Axis
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class LabelledAxis:
    """One axis of a plot.

    Attributes:
        label: What it measures, with its unit.
        axis: Positions of the values.
        number_format: Format of its figures in the tooltip; None where the name of a mark already
            gives its position, as on an axis of names.
    """

    label: str
    axis: Axis
    number_format: NumberFormat | None


@dataclass(frozen=True)
class XYAxes:
    """The two axes: `x` from the left, `y` from the bottom."""

    x: LabelledAxis
    y: LabelledAxis


@dataclass(frozen=True)
class LayerStyle:
    """Key of a layer in the page, its label in legend and tooltip, its classes."""

    key: str
    label: str
    css: str


@dataclass(frozen=True)
class PlotLayer:
    """Marks of one kind.

    Attributes:
        kind: How the path and its swatch in the legend are painted.
        style: Key, label and classes; without a label it is not in the legend.
        path: SVG path in the square of `VIEWBOX_SIZE` units; empty where there is nothing to draw.
        dot_path: Path of the dots on whiskers.
        names: Name of each mark, shape (n,); empty for a layer without a tooltip.
        x: Horizontal value of each mark, shape (n,).
        y: Vertical value, shape (n,), None where there is none.
        low: Lower ends of its interval, shape (n,) or empty.
        high: Upper ends, shape (n,) or empty.
    """

    kind: Literal["dots", "bars", "line", "band", "whiskers"]
    style: LayerStyle
    path: str
    dot_path: str = ""
    names: tuple[str, ...] = ()
    x: tuple[float | None, ...] = ()
    y: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


def dot_layer(
    axes: XYAxes, style: LayerStyle, x: Vector, y: Vector, names: Sequence[str]
) -> PlotLayer:
    """A dot for each point, none where a coordinate is NaN or cannot be shown on a log axis.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: Name of each, shape (n,).
    """
    across, down, known = _viewbox_positions(axes, x, y)
    path = "".join(f"M{left} {top}h0" for left, top in zip(across, down, strict=True))
    kept = [name for name, is_known in zip(names, known.tolist(), strict=True) if is_known]
    return PlotLayer(
        "dots", style, path, "", tuple(kept), to_json_values(x[known]), to_json_values(y[known])
    )


def bar_layer(
    axes: XYAxes,
    style: LayerStyle,
    edges: tuple[Vector, Vector],
    heights: Vector,
    names: Sequence[str],
) -> PlotLayer:
    """A bar for each figure, from 0 or, where the axis has no 0, from its lower end.

    Args:
        axes: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,).
        heights: Figures, shape (n,); no bar for NaN.
        names: Name of each, shape (n,).
    """
    left, right = edges
    axis = axes.y.axis
    floor = 0.0 if not axis.log and axis.low <= 0.0 <= axis.high else axis.low
    starts, downs, known = _viewbox_positions(axes, left, heights)
    ends = to_viewbox_units(axes.x.axis.to_fraction(right[known])).tolist()
    base = int(to_viewbox_units(1.0 - axis.to_fraction(np.array([floor])))[0])
    path = "".join(
        f"M{start} {base}V{down}H{end}V{base}Z"
        for start, down, end in zip(starts, downs, ends, strict=True)
    )
    return _layer_over_intervals("bars", style, path, edges, heights, names)


def line_layer(
    axes: XYAxes, style: LayerStyle, x: Vector, y: Vector, names: Sequence[str] = ()
) -> PlotLayer:
    """A line through the points in their order, broken where one is NaN.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: Name of each point, shape (n,); empty for no tooltip.
    """
    path = line_path(axes.x.axis.to_fraction(x), axes.y.axis.to_fraction(y))
    return PlotLayer("line", style, path, "", tuple(names), to_json_values(x), to_json_values(y))


def step_layer(
    axes: XYAxes,
    style: LayerStyle,
    edges: tuple[Vector, Vector],
    heights: Vector,
    names: Sequence[str],
) -> PlotLayer:
    """The outline of adjacent bars, as of a histogram.

    Args:
        axes: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,); each right end is the next left end.
        heights: Figures, shape (n,), without NaN.
        names: Name of each, shape (n,).
    """
    left, right = edges
    corners = np.column_stack((left, right)).ravel()
    outline = line_layer(axes, style, corners, np.repeat(heights, 2)).path
    return _layer_over_intervals("line", style, outline, edges, heights, names)


def _layer_over_intervals(
    kind: Literal["bars", "line"],
    style: LayerStyle,
    path: str,
    edges: tuple[Vector, Vector],
    heights: Vector,
    names: Sequence[str],
) -> PlotLayer:
    """A layer with a mark for each interval between two edges, at its centre."""
    left, right = edges
    return PlotLayer(
        kind,
        style,
        path,
        names=tuple(names),
        x=to_json_values((left + right) / 2),
        y=to_json_values(heights),
    )


def horizontal_line(axes: XYAxes, style: LayerStyle, y_value: float) -> PlotLayer:
    """A horizontal reference line at height `y_value`."""
    axis = axes.x.axis
    return line_layer(axes, style, np.array([axis.low, axis.high]), np.array([y_value, y_value]))


def vertical_line(axes: XYAxes, style: LayerStyle, x_value: float) -> PlotLayer:
    """A vertical reference line at `x_value`."""
    axis = axes.y.axis
    return line_layer(axes, style, np.array([x_value, x_value]), np.array([axis.low, axis.high]))


def identity_line(axes: XYAxes, style: LayerStyle) -> PlotLayer:
    """The reference line y = x over the range that both axes share; empty without one."""
    one, other = axes.x.axis, axes.y.axis
    low, high = max(one.low, other.low), min(one.high, other.high)
    ends = np.array([low, high] if low < high else [], dtype=np.float64)
    return line_layer(axes, style, ends, ends)


def band_layer(axes: XYAxes, style: LayerStyle, x: Vector, low: Vector, high: Vector) -> PlotLayer:
    """A filled shape between two lines over ascending `x`; rows with a NaN are left out.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        low: Shape (n,).
        high: Shape (n,).
    """
    across, bottoms, known = _viewbox_positions(axes, x, low)
    tops = to_viewbox_units(1.0 - axes.y.axis.to_fraction(high[known])).tolist()
    points = [*zip(across, tops, strict=True), *zip(across[::-1], bottoms[::-1], strict=True)]
    path = "M" + "L".join(f"{left} {top}" for left, top in points) + "Z" if points else ""
    return PlotLayer(
        "band",
        style,
        path,
        "",
        (),
        to_json_values(x),
        (),
        to_json_values(low),
        to_json_values(high),
    )


def whisker_layer(
    axes: XYAxes,
    style: LayerStyle,
    x: Vector,
    y: Vector,
    interval: tuple[Vector, Vector],
    names: Sequence[str],
) -> PlotLayer:
    """A vertical line for the interval of each point, and a dot at its figure.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Figures, shape (n,).
        interval: Lower and upper ends, shapes (n,); no line where one is NaN.
        names: Name of each, shape (n,).
    """
    low, high = interval
    across, bottoms, known = _viewbox_positions(axes, x, low)
    tops = to_viewbox_units(1.0 - axes.y.axis.to_fraction(high[known])).tolist()
    path = "".join(
        f"M{left} {bottom}V{top}" for left, bottom, top in zip(across, bottoms, tops, strict=True)
    )
    dot_path = dot_layer(axes, style, x, y, names).path
    figures = (
        tuple(names),
        to_json_values(x),
        to_json_values(y),
        to_json_values(low),
        to_json_values(high),
    )
    return PlotLayer("whiskers", style, path, dot_path, *figures)


def _viewbox_positions(
    axes: XYAxes, x: Vector, y: Vector
) -> tuple[list[int], list[int], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Positions from left and top of the rows that have both, and a mask of these rows.

    Values beyond an axis are drawn at its end.
    """
    across, up = axes.x.axis.to_fraction(x), axes.y.axis.to_fraction(y)
    known = np.isfinite(across) & np.isfinite(up)
    return (
        to_viewbox_units(np.clip(across[known], 0.0, 1.0)).tolist(),
        to_viewbox_units(1.0 - np.clip(up[known], 0.0, 1.0)).tolist(),
        known,
    )

"""Marks of a plot: dots, bars, lines, bands and whiskers, with the figures that they draw.

They are drawn in the same square of `EXTENT` units as the lines of a chart over time, which the
page stretches to any width: lines keep their thickness, and a dot is a line of no length with a
round cap, so that it stays round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.reporting.charts.time_chart import VIEWBOX_SIZE, line_path, to_json_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.reporting.charts.axes import Axis
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class LabelledAxis:
    """One axis of a plot.

    Attributes:
        label: What it measures, its unit included, as a reader meets it.
        axis: Where values lie.
        number_format: How its figures are written under the pointer; None where the name of a mark
            already says its place, as on an axis of names.
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
    """Of a layer: its key in the page, its name in legend and pointer, its classes."""

    key: str
    label: str
    css: str


@dataclass(frozen=True)
class PlotLayer:
    """Marks of one kind.

    Attributes:
        kind: How the path is painted, and its swatch in the legend.
        style: Key, label and classes; without a label it is not in the legend.
        path: SVG path in the square of `EXTENT` units; empty where there is nothing to draw.
        dot_path: Path of the dots on whiskers, which are thicker than their lines.
        names: What each mark is, shape (n,); empty where the pointer shall pass over the layer.
        x: Where each mark stands across, shape (n,).
        y: Its figure, shape (n,), None where there is none.
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
    """A dot a point, none where a coordinate is NaN or has no place on a log axis.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: What each is, shape (n,).
    """
    across, down, known = _viewbox_positions(axes, x, y)
    path = "".join(f"M{left} {top}h0" for left, top in zip(across, down, strict=True))
    kept = [name for name, here in zip(names, known.tolist(), strict=True) if here]
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
    """A bar a figure, from 0 or, where the axis has no 0, from its lower end.

    Args:
        axes: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,).
        heights: Its figure, shape (n,); no bar where it is NaN.
        names: What each is, shape (n,).
    """
    left, right = edges
    axis = axes.y.axis
    floor = 0.0 if not axis.log and axis.low <= 0.0 <= axis.high else axis.low
    starts, downs, known = _viewbox_positions(axes, left, heights)
    ends = _to_viewbox_units(axes.x.axis.to_fraction(right[known])).tolist()
    ground = int(_to_viewbox_units(1.0 - axis.to_fraction(np.array([floor])))[0])
    path = "".join(
        f"M{start} {ground}V{down}H{end}V{ground}Z"
        for start, down, end in zip(starts, downs, ends, strict=True)
    )
    return PlotLayer(
        "bars",
        style,
        path,
        "",
        tuple(names),
        to_json_values((left + right) / 2),
        to_json_values(heights),
    )


def line_layer(
    axes: XYAxes, style: LayerStyle, x: Vector, y: Vector, names: Sequence[str] = ()
) -> PlotLayer:
    """A line through the points in their order, broken where one is NaN.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: What each point is, shape (n,); without them the pointer passes over.
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
    """The outline of bars that stand side by side, as of a histogram.

    Args:
        axes: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,), each right one the next left one.
        heights: Its figure, shape (n,), no NaN.
        names: What each is, shape (n,).
    """
    left, right = edges
    corners = np.column_stack((left, right)).ravel()
    outline = line_layer(axes, style, corners, np.repeat(heights, 2)).path
    return PlotLayer(
        "line",
        style,
        outline,
        "",
        tuple(names),
        to_json_values((left + right) / 2),
        to_json_values(heights),
    )


def horizontal_line(axes: XYAxes, style: LayerStyle, y_value: float) -> PlotLayer:
    """A horizontal reference line at height `y_value`."""
    axis = axes.x.axis
    return line_layer(axes, style, np.array([axis.low, axis.high]), np.array([y_value, y_value]))


def vertical_line(axes: XYAxes, style: LayerStyle, x_value: float) -> PlotLayer:
    """A vertical reference line at place `x_value`."""
    axis = axes.y.axis
    return line_layer(axes, style, np.array([x_value, x_value]), np.array([axis.low, axis.high]))


def identity_line(axes: XYAxes, style: LayerStyle) -> PlotLayer:
    """The reference line y = x, as far as both axes reach; nothing where they share no value."""
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
    tops = _to_viewbox_units(1.0 - axes.y.axis.to_fraction(high[known])).tolist()
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
    """An interval a point as a vertical line, a dot at its figure.

    Args:
        axes: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Figures, shape (n,).
        interval: Lower and upper ends, shapes (n,); no line where one is NaN.
        names: What each is, shape (n,).
    """
    low, high = interval
    across, bottoms, known = _viewbox_positions(axes, x, low)
    tops = _to_viewbox_units(1.0 - axes.y.axis.to_fraction(high[known])).tolist()
    path = "".join(
        f"M{left} {bottom}V{top}" for left, bottom, top in zip(across, bottoms, tops, strict=True)
    )
    heads = dot_layer(axes, style, x, y, names).path
    drawn = (
        tuple(names),
        to_json_values(x),
        to_json_values(y),
        to_json_values(low),
        to_json_values(high),
    )
    return PlotLayer("whiskers", style, path, heads, *drawn)


def _viewbox_positions(
    axes: XYAxes, x: Vector, y: Vector
) -> tuple[list[int], list[int], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Places from the left and from the top of the rows that have both, and which rows these are.

    What lies beyond an axis, as a dot at infinity would, is drawn at its end.
    """
    across, up = axes.x.axis.to_fraction(x), axes.y.axis.to_fraction(y)
    known = np.isfinite(across) & np.isfinite(up)
    return (
        _to_viewbox_units(np.clip(across[known], 0.0, 1.0)).tolist(),
        _to_viewbox_units(1.0 - np.clip(up[known], 0.0, 1.0)).tolist(),
        known,
    )


def _to_viewbox_units(fractions: Vector) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.rint(VIEWBOX_SIZE * fractions).astype(np.int64)

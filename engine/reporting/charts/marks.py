"""Marks of a plot: dots, bars, lines, bands and whiskers, with the figures that they draw.

They are drawn in the same square of `EXTENT` units as the lines of a chart over time, which the
page stretches to any width: lines keep their thickness, and a dot is a line of no length with a
round cap, so that it stays round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.reporting.charts.drawing import EXTENT, figures, line_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.charts.axis import Axis
    from engine.reporting.formatting import Unit
    from engine.types import Vector


@dataclass(frozen=True)
class Scale:
    """One axis of a plot.

    Attributes:
        label: What it measures, its unit included, as a reader meets it.
        axis: Where values lie.
        unit: How its figures are written under the pointer; None where the name of a mark
            already says its place, as on an axis of names.
    """

    label: str
    axis: Axis
    unit: Unit | None


@dataclass(frozen=True)
class Frame:
    """The two axes: `across` from the left, `up` from the bottom."""

    across: Scale
    up: Scale


@dataclass(frozen=True)
class Style:
    """Of a layer: its key in the page, its name in legend and pointer, its classes."""

    key: str
    label: str
    css: str


@dataclass(frozen=True)
class Layer:
    """Marks of one kind.

    Attributes:
        kind: How the path is painted, and its swatch in the legend.
        style: Key, label and classes; without a label it is not in the legend.
        path: SVG path in the square of `EXTENT` units; empty where there is nothing to draw.
        heads: Path of the dots on whiskers, which are thicker than their lines.
        names: What each mark is, shape (n,); empty where the pointer shall pass over the layer.
        x: Where each mark stands across, shape (n,).
        y: Its figure, shape (n,), None where there is none.
        low: Lower ends of its interval, shape (n,) or empty.
        high: Upper ends, shape (n,) or empty.
    """

    kind: Literal["dots", "bars", "line", "band", "whiskers"]
    style: Style
    path: str
    heads: str = ""
    names: tuple[str, ...] = ()
    x: tuple[float | None, ...] = ()
    y: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


def dots(frame: Frame, style: Style, x: Vector, y: Vector, names: Sequence[str]) -> Layer:
    """A dot a point, none where a coordinate is NaN or has no place on a log axis.

    Args:
        frame: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: What each is, shape (n,).
    """
    across, down, known = _places(frame, x, y)
    path = "".join(f"M{left} {top}h0" for left, top in zip(across, down, strict=True))
    kept = [name for name, here in zip(names, known.tolist(), strict=True) if here]
    return Layer("dots", style, path, "", tuple(kept), figures(x[known]), figures(y[known]))


def bars(
    frame: Frame,
    style: Style,
    edges: tuple[Vector, Vector],
    top: Vector,
    names: Sequence[str],
) -> Layer:
    """A bar a figure, from 0 or, where the axis has no 0, from its lower end.

    Args:
        frame: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,).
        top: Its figure, shape (n,); no bar where it is NaN.
        names: What each is, shape (n,).
    """
    left, right = edges
    axis = frame.up.axis
    floor = 0.0 if not axis.log and axis.low <= 0.0 <= axis.high else axis.low
    starts, downs, known = _places(frame, left, top)
    ends = _units(frame.across.axis.place(right[known])).tolist()
    ground = int(_units(1.0 - axis.place(np.array([floor])))[0])
    path = "".join(
        f"M{start} {ground}V{down}H{end}V{ground}Z"
        for start, down, end in zip(starts, downs, ends, strict=True)
    )
    return Layer("bars", style, path, "", tuple(names), figures((left + right) / 2), figures(top))


def line(frame: Frame, style: Style, x: Vector, y: Vector, names: Sequence[str] = ()) -> Layer:
    """A line through the points in their order, broken where one is NaN.

    Args:
        frame: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Shape (n,).
        names: What each point is, shape (n,); without them the pointer passes over.
    """
    path = line_path(frame.across.axis.place(x), frame.up.axis.place(y))
    return Layer("line", style, path, "", tuple(names), figures(x), figures(y))


def steps(
    frame: Frame, style: Style, edges: tuple[Vector, Vector], top: Vector, names: Sequence[str]
) -> Layer:
    """The outline of bars that stand side by side, as of a histogram.

    Args:
        frame: The axes.
        style: Key, label and classes.
        edges: Left and right end of each, shapes (n,), each right one the next left one.
        top: Its figure, shape (n,), no NaN.
        names: What each is, shape (n,).
    """
    left, right = edges
    corners = np.column_stack((left, right)).ravel()
    outline = line(frame, style, corners, np.repeat(top, 2)).path
    return Layer(
        "line", style, outline, "", tuple(names), figures((left + right) / 2), figures(top)
    )


def across_at(frame: Frame, style: Style, at: float) -> Layer:
    """A horizontal reference line at height `at`."""
    axis = frame.across.axis
    return line(frame, style, np.array([axis.low, axis.high]), np.array([at, at]))


def up_at(frame: Frame, style: Style, at: float) -> Layer:
    """A vertical reference line at place `at`."""
    axis = frame.up.axis
    return line(frame, style, np.array([at, at]), np.array([axis.low, axis.high]))


def identity(frame: Frame, style: Style) -> Layer:
    """The reference line y = x, as far as both axes reach; nothing where they share no value."""
    one, other = frame.across.axis, frame.up.axis
    low, high = max(one.low, other.low), min(one.high, other.high)
    ends = np.array([low, high] if low < high else [], dtype=np.float64)
    return line(frame, style, ends, ends)


def band(frame: Frame, style: Style, x: Vector, low: Vector, high: Vector) -> Layer:
    """A filled shape between two lines over ascending `x`; rows with a NaN are left out.

    Args:
        frame: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        low: Shape (n,).
        high: Shape (n,).
    """
    across, bottoms, known = _places(frame, x, low)
    tops = _units(1.0 - frame.up.axis.place(high[known])).tolist()
    points = [*zip(across, tops, strict=True), *zip(across[::-1], bottoms[::-1], strict=True)]
    path = "M" + "L".join(f"{left} {top}" for left, top in points) + "Z" if points else ""
    return Layer("band", style, path, "", (), figures(x), (), figures(low), figures(high))


def whiskers(
    frame: Frame,
    style: Style,
    x: Vector,
    y: Vector,
    interval: tuple[Vector, Vector],
    names: Sequence[str],
) -> Layer:
    """An interval a point as a vertical line, a dot at its figure.

    Args:
        frame: The axes.
        style: Key, label and classes.
        x: Shape (n,).
        y: Figures, shape (n,).
        interval: Lower and upper ends, shapes (n,); no line where one is NaN.
        names: What each is, shape (n,).
    """
    low, high = interval
    across, bottoms, known = _places(frame, x, low)
    tops = _units(1.0 - frame.up.axis.place(high[known])).tolist()
    path = "".join(
        f"M{left} {bottom}V{top}" for left, bottom, top in zip(across, bottoms, tops, strict=True)
    )
    heads = dots(frame, style, x, y, names).path
    drawn = (tuple(names), figures(x), figures(y), figures(low), figures(high))
    return Layer("whiskers", style, path, heads, *drawn)


def _places(
    frame: Frame, x: Vector, y: Vector
) -> tuple[list[int], list[int], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Places from the left and from the top of the rows that have both, and which rows these are.

    What lies beyond an axis, as a dot at infinity would, is drawn at its end.
    """
    across, up = frame.across.axis.place(x), frame.up.axis.place(y)
    known = np.isfinite(across) & np.isfinite(up)
    return (
        _units(np.clip(across[known], 0.0, 1.0)).tolist(),
        _units(1.0 - np.clip(up[known], 0.0, 1.0)).tolist(),
        known,
    )


def _units(fractions: Vector) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.rint(EXTENT * fractions).astype(np.int64)

"""SVG paths of series and areas in a square of `VIEWBOX_SIZE` units from the top left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector
    from engine.reporting.charts.axes import Axis

VIEWBOX_SIZE = 10_000


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
            to_viewbox_units(x_fractions[start:stop]),
            to_viewbox_units(1.0 - y_fractions[start:stop]),
        )
        moves = np.column_stack((np.diff(x), np.diff(y))).ravel()
        pieces.append(f"M{x[0]} {y[0]}l{' '.join(map(str, moves.tolist()))}" if len(x) > 1 else "")
    return "".join(pieces)


def step_area_path(x_fractions: Vector, y_fractions: Vector, floor: float) -> str:
    """A closed SVG path under steps: each height lasts until the next bar.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        y_fractions: Shape (n,), fractions from the bottom, without NaN.
        floor: Height of the base of the shape.
    """
    x, y, base = (
        to_viewbox_units(x_fractions),
        to_viewbox_units(1.0 - y_fractions),
        round(VIEWBOX_SIZE * (1.0 - floor)),
    )
    changes = np.flatnonzero(np.diff(y)) + 1
    steps = "".join(f"H{x[row]}V{y[row]}" for row in changes.tolist())
    return f"M{x[0]} {base}V{y[0]}{steps}H{x[-1]}V{base}Z"


def between_path(x_fractions: Vector, lower: Vector, upper: Vector) -> str:
    """A closed SVG path between two lines, over the bars where the upper one is finite.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        lower: Shape (n,), fractions from the bottom; NaN, as of 0 on a log axis, is the lower end.
        upper: Shape (n,), likewise.
    """
    known = np.isfinite(upper)
    if known.sum() < 2:
        return ""
    base = np.where(np.isfinite(lower), lower, 0.0)[known]
    x = to_viewbox_units(np.concatenate((x_fractions[known], x_fractions[known][::-1])))
    y = to_viewbox_units(1.0 - np.concatenate((upper[known], base[::-1])))
    points = " ".join(f"{left} {top}" for left, top in zip(x.tolist(), y.tolist(), strict=True))
    return f"M{points}Z"


def band_path(x_fractions: Vector, mask: npt.NDArray[np.bool_]) -> str:
    """An SVG path of full-height bands over the bars in `mask`, each until the next bar.

    Args:
        x_fractions: Shape (n,), fractions from the left.
        mask: Shape (n,).
    """
    x = to_viewbox_units(x_fractions)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    ends = np.minimum(edges[1::2], len(x) - 1)
    return "".join(
        f"M{x[start]} 0H{x[end]}V{VIEWBOX_SIZE}H{x[start]}Z"
        for start, end in zip(edges[::2].tolist(), ends.tolist(), strict=True)
    )


def to_json_values(values: Vector) -> tuple[float | None, ...]:
    """Figures with seven significant digits, None for NaN."""
    numbers = np.asarray(values, dtype=float).tolist()
    return tuple(float(f"{value:.7g}") if math.isfinite(value) else None for value in numbers)


def distance_from_top(axis: Axis, value: float) -> int:
    """Position of a value in `VIEWBOX_SIZE` units from the top."""
    return int(to_viewbox_units(1.0 - axis.to_fraction(np.array([value])))[0])


def to_viewbox_units(fractions: Vector) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Fractions of the square, shape (n,), in whole units."""
    return np.rint(VIEWBOX_SIZE * fractions).astype(np.int64)

"""Target weights of many symbols over time: a stacked area of a few, a heat map of more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import AxisTick, linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import Matrix, Vector, WideFrame

MOST_STACKED = 6
"""Symbols that colours tell apart; more are rows of a heat map."""

MAP_STEPS = 120
"""Columns of the heat map, each the mean over equal numbers of closes."""

MAP_LEVELS = 4
"""Strengths of its colour, each an equal part of the largest mean weight."""

MAP_NAMES = 24
"""Most names beside its rows."""

_TITLE = "Weights"


@dataclass(frozen=True)
class WeightLevel:
    """The cells of one strength.

    Attributes:
        css: Class of its colour.
        label: The weights that it stands for.
        path: SVG path of the cells, horizontal lines as thick as a row.
    """

    css: str
    label: str
    path: str


@dataclass(frozen=True)
class WeightsMap:
    """The heat map.

    Attributes:
        key: Its id in the page.
        title: A noun.
        description: What it shows.
        span: First bar, last bar and number of bars.
        ticks: Of the time axis.
        names: Names beside the rows, with their positions from the bottom.
        levels: The cells, from long to short.
        row_height: Height of a row in units of the drawing.
        height: Its height on the page.
    """

    key: str
    title: str
    description: str
    span: str
    ticks: tuple[AxisTick, ...]
    names: tuple[AxisTick, ...]
    levels: tuple[WeightLevel, ...]
    row_height: int
    height: Literal["tall", "medium"]


def weights_area(weights: WideFrame) -> time_chart.TimeChart:
    """Long weights stacked above zero, short ones below.

    Args:
        weights: Decided at each close, a column a symbol, at most `MOST_STACKED`; no NaN.
    """
    table = time_chart.downsample_rows(weights)
    index = pd.DatetimeIndex(table.index)
    time = time_axis(index[0], index[-1])
    across = time.to_fraction(index)
    values = table.to_numpy(dtype=np.float64)
    sides = [np.cumsum(side, axis=1) for side in (np.maximum(values, 0), np.minimum(values, 0))]
    axis = linear_axis(
        min(0.0, float(sides[1].min())), max(0.0, float(sides[0].max())) or 1.0, ticks=4
    )
    zero = np.zeros(len(values))
    edges: dict[str, Vector] = {"zero": zero}
    areas = []
    for number in range(values.shape[1]):
        for name, heights in zip(("long", "short"), sides, strict=True):
            lower = f"{name}-{number - 1}" if number else "zero"
            edges[f"{name}-{number}"] = heights[:, number]
            path = svg_paths.between_path(
                across, axis.to_fraction(edges[lower]), axis.to_fraction(heights[:, number])
            )
            areas.append(
                time_chart.Area(f"stack hue-{number}", path, lower, "between", f"{name}-{number}")
            )
    lines = [
        time_chart.LineSeries(key, "", "", "", svg_paths.to_json_values(heights))
        for key, heights in edges.items()
    ]
    lines += [
        time_chart.LineSeries(
            f"weight-{number}",
            str(symbol),
            f"hue-{number}",
            "",
            svg_paths.to_json_values(values[:, number]),
        )
        for number, symbol in reversed(list(enumerate(table.columns)))
    ]
    return time_chart.TimeChart(
        key="weights",
        title=_TITLE,
        description="Target weights decided at each close, long above zero and short below; 1 is "
        "all of the equity.",
        span=time_chart.describe_span(weights.index),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label="target weight",
                height="medium",
                ticks=axis.ticks,
                number_format=formatting.WEIGHT,
                lines=tuple(lines),
                areas=tuple(areas),
                baseline=svg_paths.distance_from_top(axis, 0.0),
                rescaling=time_chart.AxisRescaling(ticks=4),
            ),
        ),
        notes=time_chart.downsampling_note(len(weights), len(table)),
        swatches=tuple(
            (f"hue-{number}", str(symbol)) for number, symbol in enumerate(weights.columns)
        ),
    )


def weights_map(weights: WideFrame) -> WeightsMap:
    """A row a symbol, the largest mean weight at the top, and a column for equal times.

    Args:
        weights: Decided at each close, a column a symbol; no NaN.
    """
    ordered = weights[weights.mean().sort_values(ascending=False, kind="stable").index]
    index = pd.DatetimeIndex(weights.index)
    cells = _mean_by_step(ordered.to_numpy(dtype=np.float64))
    largest = float(np.abs(cells).max()) or 1.0
    strength = np.ceil(np.abs(cells) / largest * MAP_LEVELS - 1e-9).astype(int)
    signed = (np.sign(cells) * strength).astype(int)
    rows = ordered.shape[1]
    levels = tuple(
        WeightLevel(
            f"{side} level-{level}",
            _level_label(sign, level, largest),
            _cells_path(signed == sign * level),
        )
        for sign, side, order in (
            (1, "up-side", range(MAP_LEVELS, 0, -1)),
            (-1, "down-side", range(1, MAP_LEVELS + 1)),
        )
        for level in order
        if (signed == sign * level).any()
    )
    closes = formatting.count_of(-(-len(weights) // cells.shape[0]), "close")
    return WeightsMap(
        key="weights",
        title=_TITLE,
        description="A row is a symbol, the one with the largest mean weight at the top. A column "
        f"is the mean target weight over {closes}; without a colour it is 0.",
        span=time_chart.describe_span(index),
        ticks=time_axis(index[0], index[-1]).ticks,
        names=_row_names([str(symbol) for symbol in ordered.columns]),
        levels=levels,
        row_height=svg_paths.VIEWBOX_SIZE // rows,
        height="tall" if rows > MAP_NAMES // 2 else "medium",
    )


def _mean_by_step(values: Matrix) -> Matrix:
    """(steps, m) means over equal numbers of rows."""
    edges = np.linspace(0, len(values), min(MAP_STEPS, len(values)) + 1).astype(int)
    means: Matrix = np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None]
    return means


def _level_label(sign: int, level: int, largest: float) -> str:
    side = "long" if sign > 0 else "short"
    bounds = (100 * largest * step / MAP_LEVELS for step in (level - 1, level))
    low, high = (formatting.NumberFormat(2)(bound) for bound in bounds)
    return f"{side} {low} to {high}{formatting.NO_BREAK_SPACE}%"


def _cells_path(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> str:
    """A horizontal line for each run of neighbouring cells of a row; (steps, rows)."""
    return "".join(_runs(mask))


def _runs(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Iterator[str]:
    steps, rows = mask.shape
    across = np.rint(np.linspace(0, svg_paths.VIEWBOX_SIZE, steps + 1)).astype(int)
    changes = np.diff(np.pad(mask.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    for row in range(rows):
        height = round(svg_paths.VIEWBOX_SIZE * (row + 0.5) / rows)
        starts, ends = (np.flatnonzero(changes[:, row] == sign) for sign in (1, -1))
        for start, end in zip(across[starts], across[ends], strict=True):
            yield f"M{start} {height}h{end - start}"


def _row_names(names: list[str]) -> tuple[AxisTick, ...]:
    step = -(-len(names) // MAP_NAMES)
    return tuple(
        AxisTick(round(100 * (1 - (row + 0.5) / len(names)), 3), names[row])
        for row in range(0, len(names), step)
    )

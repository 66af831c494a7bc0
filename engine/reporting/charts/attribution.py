"""Where growth came from, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import categorical_axis, linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Vector
    from engine.reporting.book_styles import BookStyle

BAR_HALF_WIDTH = 0.36
"""Half the width of a bar; of two beside each other, the width."""

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT
ZERO_LINE = LayerStyle("zero", "", "zero")


def return_sources_plot(
    parts: Mapping[str, float], *, finding: str, description: str, span: str
) -> XYPlot:
    """What was earned and what it cost, and the sum.

    Args:
        parts: Name -> log return, the last one the sum of the others.
        finding: What the figures say.
        description: What the parts are.
        span: Over which bars.
    """
    values = 100.0 * np.array(list(parts.values()))
    places = np.arange(len(parts), dtype=np.float64)
    frame = _make_axes("part of the whole", list(parts), values)
    last = places == places[-1]
    layers = [
        plot_layers.bar_layer(
            frame,
            LayerStyle(key, label, css),
            (places[kept] - BAR_HALF_WIDTH, places[kept] + BAR_HALF_WIDTH),
            values[kept],
            [name for name, here in zip(parts, kept.tolist(), strict=True) if here],
        )
        for key, label, css, kept in (
            ("gains", "Earned", "up-side", ~last & (values >= 0)),
            ("losses", "Lost or paid", "down-side", ~last & (values < 0)),
            ("sum", "Sum of all", "plain-side", last),
        )
        if kept.any()
    ]
    return XYPlot(
        key="sources",
        title="What was earned and what it cost",
        finding=finding,
        description=description,
        span=span,
        axes=frame,
        layers=(*reversed(layers), plot_layers.horizontal_line(frame, ZERO_LINE, 0.0)),
    )


def grouped_bar_plot(
    key: str,
    titles: tuple[str, str],
    series: Sequence[tuple[BookStyle, Sequence[float]]],
    group_names: Sequence[str],
    *,
    finding: str,
    description: str,
    span: str,
) -> XYPlot:
    """Log returns of one or two books in each group of bars, beside each other.

    Args:
        key: Id of the plot.
        titles: Its title, and what the groups are.
        series: Book and its log return in each group.
        group_names: Of the groups.
        finding: What the figures say.
        description: What the groups are.
        span: Over which bars.
    """
    places = np.arange(len(group_names), dtype=np.float64)
    values = [100.0 * np.array(figures, dtype=np.float64) for _, figures in series]
    frame = _make_axes(titles[1], group_names, np.concatenate(values))
    width = 2 * BAR_HALF_WIDTH / len(series)
    layers = [
        plot_layers.bar_layer(
            frame,
            LayerStyle(book.key, book.label, book.hue),
            (
                places - BAR_HALF_WIDTH + number * width,
                places - BAR_HALF_WIDTH + (number + 1) * width,
            ),
            values[number],
            list(group_names),
        )
        for number, (book, _) in enumerate(series)
    ]
    return XYPlot(
        key=key,
        title=titles[0],
        finding=finding,
        description=description,
        span=span,
        axes=frame,
        layers=(*reversed(layers), plot_layers.horizontal_line(frame, ZERO_LINE, 0.0)),
    )


def _make_axes(label: str, names: Sequence[str], values: Vector) -> XYAxes:
    known = np.append(values[np.isfinite(values)], 0.0)
    low, high = float(known.min()), float(known.max())
    if low == high:
        low, high = -1.0, 1.0
    return XYAxes(
        LabelledAxis(label, categorical_axis(names), None),
        LabelledAxis("log return, per cent", linear_axis(low, high), LOG_RETURN_FORMAT),
    )

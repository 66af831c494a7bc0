"""Attribution of the log return, as bars."""

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
"""Half the width of a group of bars; the centres of two groups have a distance of 1."""

LOG_RETURN_FORMAT = formatting.SIGNED_PERCENT
ZERO_LINE = LayerStyle("zero", "", "zero")


def return_sources_plot(
    parts: Mapping[str, float], *, finding: str, description: str, span: str
) -> XYPlot:
    """Contributions of sides and costs, and their sum.

    Args:
        parts: Name -> log return in per cent; the last one is the sum of the others.
        finding: What the figures show, in one sentence.
        description: What the parts are.
        span: First bar, last bar and number of bars.
    """
    values = np.array(list(parts.values()))
    positions = np.arange(len(parts), dtype=np.float64)
    axes = _make_axes("contribution", list(parts), values)
    is_sum = positions == positions[-1]
    layers = [
        plot_layers.bar_layer(
            axes,
            LayerStyle(key, label, css),
            (positions[mask] - BAR_HALF_WIDTH, positions[mask] + BAR_HALF_WIDTH),
            values[mask],
            [name for name, kept in zip(parts, mask.tolist(), strict=True) if kept],
        )
        for key, label, css, mask in (
            ("gains", "Earned", "up-side", ~is_sum & (values >= 0)),
            ("losses", "Lost or paid", "down-side", ~is_sum & (values < 0)),
            ("sum", "Sum", "plain-side", is_sum),
        )
        if mask.any()
    ]
    return XYPlot(
        key="sources",
        title="Contributions to the log return",
        finding=finding,
        description=description,
        span=span,
        axes=axes,
        layers=(*reversed(layers), plot_layers.horizontal_line(axes, ZERO_LINE, 0.0)),
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
    """Log returns of one or two books in each group of bars, side by side.

    Args:
        key: Id of the plot.
        titles: Title of the plot and label of the horizontal axis.
        series: Each book with its log return in each group, in per cent; NaN where not known.
        group_names: Names of the groups.
        finding: What the figures show, in one sentence.
        description: What the groups are.
        span: First bar, last bar and number of bars.
    """
    positions = np.arange(len(group_names), dtype=np.float64)
    values = [np.array(figures, dtype=np.float64) for _, figures in series]
    axes = _make_axes(titles[1], group_names, np.concatenate(values))
    width = 2 * BAR_HALF_WIDTH / len(series)
    layers = [
        plot_layers.bar_layer(
            axes,
            LayerStyle(book.key, book.label, book.hue),
            (
                positions - BAR_HALF_WIDTH + number * width,
                positions - BAR_HALF_WIDTH + (number + 1) * width,
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
        axes=axes,
        layers=(*reversed(layers), plot_layers.horizontal_line(axes, ZERO_LINE, 0.0)),
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

"""The Sharpe ratio of the run over one thing that is varied, with what it is in the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import (
    LabelledAxis,
    LayerStyle,
    XYAxes,
    dot_layer,
    horizontal_line,
    line_layer,
    vertical_line,
)
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Sequence

POINT_STYLE = LayerStyle("points", "", "hue-0 large")
ZERO_LINE = LayerStyle("zero", "", "zero")


@dataclass(frozen=True)
class SharpeCurve:
    """What is varied, and the ratios.

    Attributes:
        across: The axis of what is varied.
        values: What it is at each point, ascending.
        sharpe: Sharpe ratio at each; None where there is none.
        names: Of the points.
        label: Of the curve in the legend.
        marks: Vertical lines: the style and the place of each; none for a place of None.
    """

    across: LabelledAxis
    values: Sequence[float]
    sharpe: Sequence[float | None]
    names: Sequence[str]
    label: str
    marks: tuple[tuple[LayerStyle, float | None], ...]


def sharpe_curve_plot(
    curve: SharpeCurve,
    *,
    key: str,
    title: str,
    finding: str,
    description: str,
    span: str,
    notes: tuple[str, ...] = (),
) -> XYPlot:
    """A line through the points, over a line at 0.

    Args:
        curve: What is drawn.
        key: Id of the plot.
        title: A noun.
        finding: What it shows, in one sentence.
        description: What it is.
        span: First bar, last bar and number of bars.
        notes: Sentences below it.
    """
    across = np.array(curve.values)
    ratios = np.array([np.nan if ratio is None else ratio for ratio in curve.sharpe])
    known = np.append(ratios[np.isfinite(ratios)], 0.0)
    up = LabelledAxis(
        "Sharpe ratio, annualised",
        linear_axis(float(known.min()), float(known.max())),
        formatting.SIGNED_RATIO,
    )
    axes = XYAxes(curve.across, up)
    marks = (vertical_line(axes, style, at) for style, at in curve.marks if at is not None)
    line = LayerStyle("curve", curve.label, "hue-0 strong")
    return XYPlot(
        key=key,
        title=title,
        finding=finding,
        description=description,
        span=span,
        axes=axes,
        layers=(
            horizontal_line(axes, ZERO_LINE, 0.0),
            *marks,
            line_layer(axes, line, across, ratios),
            dot_layer(axes, POINT_STYLE, across, ratios, curve.names),
        ),
        notes=notes,
    )

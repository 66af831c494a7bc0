"""Plots over an axis other than time, as values.

Each layer has the figures that it draws, for the tooltip and for tests.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.reporting.charts.plot_layers import LabelledAxis, PlotLayer, XYAxes


@dataclass(frozen=True)
class XYPlot:
    """A plot.

    Attributes:
        key: Its id in the page.
        title: A noun.
        finding: What its figures show, in one sentence; may be empty.
        description: What it shows, in one or two sentences.
        span: First bar, last bar and number of bars.
        axes: Its axes.
        layers: From back to front.
        shape: Its size on the page; two `square` plots fit side by side.
        notes: Further sentences below the plot.
    """

    key: str
    title: str
    finding: str
    description: str
    span: str
    axes: XYAxes
    layers: tuple[PlotLayer, ...]
    shape: Literal["tall", "medium", "short", "square"] = "medium"
    notes: tuple[str, ...] = field(default=())

    @property
    def legend(self) -> tuple[PlotLayer, ...]:
        """Labelled layers, the front one first; empty for a single one."""
        named = tuple(
            layer
            for layer in reversed(self.layers)
            if layer.style.label and layer.path + layer.dot_path
        )
        return named if len(named) > 1 else ()


def plot_data(plot: XYPlot) -> dict[str, object]:
    """Data for the script of the page: the figures drawn.

    Axes with `label`, `unit`, `low`, `high` and `log`, and of every layer, front first, its
    `key`, `label`, `css`, `kind`, `names`, `x`, `y`, `low` and `high`.
    """
    return {
        "across": _axis_data(plot.axes.x),
        "up": _axis_data(plot.axes.y),
        "layers": [
            {"kind": layer.kind, **asdict(layer.style)}
            | {name: getattr(layer, name) for name in ("names", "x", "y", "low", "high")}
            for layer in reversed(plot.layers)
        ],
    }


def _axis_data(axis: LabelledAxis) -> dict[str, object]:
    return {
        "label": axis.label,
        "unit": asdict(axis.number_format) if axis.number_format else None,
        "low": axis.axis.low,
        "high": axis.axis.high,
        "log": axis.axis.log,
    }

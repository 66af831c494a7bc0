"""Plots: charts whose horizontal axis is not time, as values.

Each layer carries the figures that it draws, for the pointer and for whoever checks what was
drawn.
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
        finding: What its figures say, one plain sentence computed from them; maybe empty.
        description: What it shows, in a sentence or two.
        span: Over which bars, and how many.
        axes: Its axes.
        layers: From the back to the front.
        shape: How it fills the page: `square` is narrow enough to stand beside another.
        notes: What else the reader must know, sentences.
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
        """Layers to name, where there is more than one; front first, as they lie."""
        named = tuple(
            layer
            for layer in reversed(self.layers)
            if layer.style.label and layer.path + layer.dot_path
        )
        return named if len(named) > 1 else ()


def plot_data(plot: XYPlot) -> dict[str, object]:
    """What the script of the page needs, and what a test can check: the figures drawn.

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

"""Plots: charts whose horizontal axis is not time, as values.

Each layer carries the figures that it draws, for the pointer and for whoever checks what was
drawn.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.reporting.charts.marks import Frame, Layer, Scale


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes:
        key: Its id in the page.
        title: A noun.
        finding: What its figures say, one plain sentence computed from them; maybe empty.
        says: What it shows, in a sentence or two.
        span: Over which bars, and how many.
        frame: Its axes.
        layers: From the back to the front.
        shape: How it fills the page: `square` is narrow enough to stand beside another.
        notes: What else the reader must know, sentences.
    """

    key: str
    title: str
    finding: str
    says: str
    span: str
    frame: Frame
    layers: tuple[Layer, ...]
    shape: Literal["tall", "medium", "short", "square"] = "medium"
    notes: tuple[str, ...] = field(default=())

    @property
    def legend(self) -> tuple[Layer, ...]:
        """Layers to name, where there is more than one; front first, as they lie."""
        named = tuple(
            layer
            for layer in reversed(self.layers)
            if layer.style.label and layer.path + layer.heads
        )
        return named if len(named) > 1 else ()


def plot_data(plot: Plot) -> dict[str, object]:
    """What the script of the page needs, and what a test can check: the figures drawn.

    Axes with `label`, `unit`, `low`, `high` and `log`, and of every layer, front first, its
    `key`, `label`, `css`, `kind`, `names`, `x`, `y`, `low` and `high`.
    """
    return {
        "across": _scale_data(plot.frame.across),
        "up": _scale_data(plot.frame.up),
        "layers": [
            {"kind": layer.kind, **asdict(layer.style)}
            | {name: getattr(layer, name) for name in ("names", "x", "y", "low", "high")}
            for layer in reversed(plot.layers)
        ],
    }


def _scale_data(scale: Scale) -> dict[str, object]:
    return {
        "label": scale.label,
        "unit": asdict(scale.unit) if scale.unit else None,
        "low": scale.axis.low,
        "high": scale.axis.high,
        "log": scale.axis.log,
    }

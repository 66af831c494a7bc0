"""Returns by size: how often each came, and how far the tails reach."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import linear_axis, log_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from engine.core.types import Vector

MIN_BINS = 12
MAX_BINS = 80
MAX_RANKS_IN_FULL = 60
MAX_TAIL_POINTS = 120


@dataclass(frozen=True)
class ReturnSample:
    """A book's returns: its name and classes, simple returns of shape (n,) in per cent."""

    label: str
    css: str
    returns_pct: Vector

    @property
    def nonzero_returns_pct(self) -> Vector:
        """Without the bars that returned exactly nothing."""
        moved: Vector = self.returns_pct[self.returns_pct != 0]
        return moved

    @property
    def fitted_normal(self) -> NormalDist | None:
        """Of the same mean and standard deviation (ddof 1); None without variation."""
        spread = float(self.returns_pct.std(ddof=1)) if len(self.returns_pct) > 1 else 0.0
        return NormalDist(float(self.returns_pct.mean()), spread) if spread > 0 else None


def bin_edges(values: Vector) -> Vector:
    """Edges of equal bins over all values, one of them at 0.

    The width is Freedman and Diaconis', 2 x interquartile range / n^(1/3), between 12 and 80 bins.

    Args:
        values: Shape (n,).

    Returns:
        Shape (bins + 1,), ascending.

    Source: Freedman & Diaconis (1981), On the histogram as a density estimator.
    """
    if not len(values) or np.ptp(values) == 0:
        centre = float(values[0]) if len(values) else 0.0
        return np.linspace(min(0.0, centre) - 1.0, max(0.0, centre) + 1.0, MIN_BINS + 1)
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    length = float(np.ptp(values))
    wanted = 2.0 * spread / len(values) ** (1 / 3)
    width = min(max(wanted, length / MAX_BINS), length / MIN_BINS)
    first, last = np.floor(values.min() / width), np.floor(values.max() / width) + 1
    edges: Vector = np.arange(first, last + 1) * width
    return edges


def histogram_plot(
    strategy: ReturnSample, benchmark: ReturnSample | None, *, finding: str, span: str
) -> XYPlot:
    """Share of the bars in each bin of returns, the other book's outlined.

    Args:
        strategy: Its bars.
        benchmark: Beside it, on the same bars.
        finding: What the figures say.
        span: Over which bars.
    """
    samples = [strategy, *([benchmark] if benchmark else [])]
    edges = bin_edges(np.concatenate([sample.nonzero_returns_pct for sample in samples]))
    sides = (edges[:-1], edges[1:])
    shares = [
        100.0 * np.histogram(each.nonzero_returns_pct, edges)[0] / len(each.returns_pct)
        for each in samples
    ]
    curve = _normal_density_curve(strategy, edges)
    highest = max(float(share.max(initial=1.0)) for share in (*shares, curve[1]))
    frame = XYAxes(
        LabelledAxis(
            "return of a bar, per cent",
            linear_axis(float(edges[0]), float(edges[-1]), ticks=8),
            formatting.FINE_PERCENT,
        ),
        LabelledAxis(
            "per cent of all bars", linear_axis(0.0, highest, ticks=4), formatting.PERCENT
        ),
    )
    names = [formatting.FINE_PERCENT.interval(*pair) for pair in zip(*sides, strict=True)]
    layers = [
        plot_layers.bar_layer(frame, _layer_style("strategy", strategy), sides, shares[0], names),
        *(
            plot_layers.step_layer(frame, _layer_style("other", sample), sides, share, names)
            for sample, share in zip(samples[1:], shares[1:], strict=True)
        ),
        plot_layers.line_layer(frame, LayerStyle("normal", "Normal", "reference"), *curve),
        plot_layers.vertical_line(frame, LayerStyle("zero", "", "zero"), 0.0),
    ]
    return XYPlot(
        key="histogram",
        title="Returns of a bar",
        finding=finding,
        description="How often a bar returned so much, after costs; dashed, a normal "
        "distribution of the "
        "strategy's own mean and standard deviation.",
        span=span,
        axes=frame,
        layers=tuple(layers),
        notes=_zero_return_note(samples),
    )


def tail_plot(
    strategy: ReturnSample, benchmark: ReturnSample | None, *, finding: str, span: str
) -> XYPlot:
    """Share of the bars that lost, or gained, at least so much, on a log axis.

    Args:
        strategy: Its bars.
        benchmark: Beside it, on the same bars.
        finding: What the figures say.
        span: Over which bars.
    """
    samples = [strategy, *([benchmark] if benchmark else [])]
    reach = max(float(np.abs(sample.returns_pct).max()) for sample in samples)
    lowest = 100.0 / max(len(sample.returns_pct) for sample in samples)
    frame = XYAxes(
        LabelledAxis(
            "size of the loss or gain, per cent", linear_axis(0.0, reach), formatting.PERCENT
        ),
        LabelledAxis(
            "bars at least as large, per cent",
            log_axis(min(lowest, 50.0), 100.0),
            formatting.FINE_PERCENT,
        ),
    )
    layers = [
        plot_layers.line_layer(
            frame,
            LayerStyle("normal", "Normal, losses", "reference"),
            *_normal_tail_curve(strategy, frame),
        ),
        *(
            _tail_layer(
                frame, LayerStyle("other", f"{each.label}, losses", each.css), -each.returns_pct
            )
            for each in samples[1:]
        ),
        _tail_layer(
            frame, LayerStyle("gains", f"{strategy.label}, gains", "hue-4"), strategy.returns_pct
        ),
        _tail_layer(
            frame,
            LayerStyle("losses", f"{strategy.label}, losses", "hue-0"),
            -strategy.returns_pct,
        ),
    ]
    return XYPlot(
        key="tails",
        title="Tails",
        finding=finding,
        description="The share of all bars that lost, or gained, at least so much, on a log "
        "axis; the "
        "lowest point of a line is the one worst or best bar. Where a line runs above the "
        "dashed one, bars so large came more often than a normal distribution allows.",
        span=span,
        axes=frame,
        layers=tuple(layers),
    )


def exceedance_curve(sizes: Vector) -> tuple[Vector, Vector]:
    """Sizes above 0 and the share of all that are at least as large, the largest first.

    Args:
        sizes: Shape (n,), losses above 0 or gains above 0.

    Returns:
        Shapes (m,): sizes and shares in per cent, m / n at most 1; every rank of the largest 60,
        of the others as many as are told apart on a log axis.
    """
    ordered = np.sort(sizes[sizes > 0])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    if len(ordered) > MAX_RANKS_IN_FULL:
        rare = np.geomspace(MAX_RANKS_IN_FULL, len(ordered), MAX_TAIL_POINTS)
        ranks = np.unique(np.concatenate((ranks[:MAX_RANKS_IN_FULL], np.rint(rare).astype(int))))
    return ordered[ranks - 1], 100.0 * ranks / len(sizes)


def _tail_layer(axes: XYAxes, style: LayerStyle, sizes: Vector) -> plot_layers.PlotLayer:
    size, share = exceedance_curve(sizes)
    whole = formatting.BARS(len(sizes))
    bars = np.rint(share * len(sizes) / 100.0)
    names = [f"{formatting.COUNT(count)} of {whole}" for count in bars.tolist()]
    return plot_layers.line_layer(axes, style, size, share, names)


def _normal_density_curve(sample: ReturnSample, edges: Vector) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has around each place."""
    normal = sample.fitted_normal
    places = np.linspace(edges[0], edges[-1], 201)
    if normal is None:
        return np.zeros(0), np.zeros(0)
    width = float(edges[1] - edges[0])
    return places, np.array([100.0 * width * normal.pdf(place) for place in places.tolist()])


def _normal_tail_curve(sample: ReturnSample, axes: XYAxes) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has below each loss."""
    normal = sample.fitted_normal
    if normal is None:
        return np.zeros(0), np.zeros(0)
    sizes = np.linspace(0.0, axes.x.axis.high, 201)
    shares = np.array([100.0 * normal.cdf(-size) for size in sizes.tolist()])
    drawn = shares >= axes.y.axis.low
    return sizes[drawn], shares[drawn]


def _layer_style(key: str, sample: ReturnSample) -> LayerStyle:
    return LayerStyle(key, sample.label, sample.css)


def _zero_return_note(samples: list[ReturnSample]) -> tuple[str, ...]:
    flat = [
        (each.label, len(each.returns_pct) - len(each.nonzero_returns_pct)) for each in samples
    ]
    told = [f"{label} {formatting.COUNT(count)}" for label, count in flat if count]
    if not told:
        return ()
    return (
        "Not drawn: bars that returned exactly nothing, as while nothing is held: "
        f"{', '.join(told)}. The figures and the normal distribution count them.",
    )

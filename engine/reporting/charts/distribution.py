"""Distribution of returns: histogram and tails."""

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
    """Returns of a book: its label and class, simple returns of shape (n,) in per cent."""

    label: str
    css: str
    returns_pct: Vector

    @property
    def nonzero_returns_pct(self) -> Vector:
        """Returns of the bars whose return is not exactly 0."""
        nonzero: Vector = self.returns_pct[self.returns_pct != 0]
        return nonzero

    @property
    def fitted_normal(self) -> NormalDist | None:
        """Normal distribution of the same mean and deviation (ddof 1); None without variation."""
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
    bin_width = 2.0 * spread / len(values) ** (1 / 3)
    width = min(max(bin_width, length / MAX_BINS), length / MIN_BINS)
    first, last = np.floor(values.min() / width), np.floor(values.max() / width) + 1
    edges: Vector = np.arange(first, last + 1) * width
    return edges


def histogram_plot(
    strategy: ReturnSample, benchmark: ReturnSample | None, *, finding: str, span: str
) -> XYPlot:
    """Share of the bars in each bin of returns, the benchmark as an outline.

    Args:
        strategy: Returns of the strategy.
        benchmark: Returns of the benchmark on the same bars, if there is one.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
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
    axes = XYAxes(
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
        plot_layers.bar_layer(axes, _layer_style("strategy", strategy), sides, shares[0], names),
        *(
            plot_layers.step_layer(axes, _layer_style("other", sample), sides, share, names)
            for sample, share in zip(samples[1:], shares[1:], strict=True)
        ),
        plot_layers.line_layer(axes, LayerStyle("normal", "Normal", "reference"), *curve),
        plot_layers.vertical_line(axes, LayerStyle("zero", "", "zero"), 0.0),
    ]
    return XYPlot(
        key="histogram",
        title="Returns by bar",
        finding=finding,
        description="Share of the bars with a return in each bin, after costs. Dashed: a normal "
        "distribution with the strategy's mean and standard deviation.",
        span=span,
        axes=axes,
        layers=tuple(layers),
        notes=_zero_return_note(samples),
    )


def tail_plot(
    strategy: ReturnSample, benchmark: ReturnSample | None, *, finding: str, span: str
) -> XYPlot:
    """Share of the bars with a loss, or a gain, of at least each size, on a log axis.

    Args:
        strategy: Returns of the strategy.
        benchmark: Returns of the benchmark on the same bars, if there is one.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
    """
    samples = [strategy, *([benchmark] if benchmark else [])]
    reach = max(float(np.abs(sample.returns_pct).max()) for sample in samples)
    lowest = 100.0 / max(len(sample.returns_pct) for sample in samples)
    axes = XYAxes(
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
            axes,
            LayerStyle("normal", "Normal, losses", "reference"),
            *_normal_tail_curve(strategy, axes),
        ),
        *(
            _tail_layer(
                axes, LayerStyle("other", f"{each.label}, losses", each.css), -each.returns_pct
            )
            for each in samples[1:]
        ),
        _tail_layer(
            axes, LayerStyle("gains", f"{strategy.label}, gains", "hue-4"), strategy.returns_pct
        ),
        _tail_layer(
            axes,
            LayerStyle("losses", f"{strategy.label}, losses", "hue-0"),
            -strategy.returns_pct,
        ),
    ]
    return XYPlot(
        key="tails",
        title="Tails",
        finding=finding,
        description="Share of all bars with a loss, or a gain, of at least this size, on a log "
        "axis. The lowest point of a line is the worst or best bar. Where a line is above the "
        "dashed one, returns of this size were more frequent than in a normal distribution.",
        span=span,
        axes=axes,
        layers=tuple(layers),
    )


def exceedance_curve(sizes: Vector) -> tuple[Vector, Vector]:
    """Sizes above 0 and the share of all that are at least as large, the largest first.

    Args:
        sizes: Shape (n,), losses above 0 or gains above 0.

    Returns:
        Shapes (m,): sizes and shares in per cent; every rank of the largest 60, and of the others
        as many as can be distinguished on a log axis.
    """
    ordered = np.sort(sizes[sizes > 0])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    if len(ordered) > MAX_RANKS_IN_FULL:
        rare = np.geomspace(MAX_RANKS_IN_FULL, len(ordered), MAX_TAIL_POINTS)
        ranks = np.unique(np.concatenate((ranks[:MAX_RANKS_IN_FULL], np.rint(rare).astype(int))))
    return ordered[ranks - 1], 100.0 * ranks / len(sizes)


def _tail_layer(axes: XYAxes, style: LayerStyle, sizes: Vector) -> plot_layers.PlotLayer:
    size, share = exceedance_curve(sizes)
    total = formatting.BARS(len(sizes))
    bars = np.rint(share * len(sizes) / 100.0)
    names = [f"{formatting.COUNT(count)} of {total}" for count in bars.tolist()]
    return plot_layers.line_layer(axes, style, size, share, names)


def _normal_density_curve(sample: ReturnSample, edges: Vector) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has in a bin at each return."""
    normal = sample.fitted_normal
    returns_pct = np.linspace(edges[0], edges[-1], 201)
    if normal is None:
        return np.zeros(0), np.zeros(0)
    width = float(edges[1] - edges[0])
    return returns_pct, np.array(
        [100.0 * width * normal.pdf(value) for value in returns_pct.tolist()]
    )


def _normal_tail_curve(sample: ReturnSample, axes: XYAxes) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has beyond each loss."""
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
    counts = [f"{label} {formatting.COUNT(count)}" for label, count in flat if count]
    if not counts:
        return ()
    return (
        "Not drawn: bars with a return of exactly 0, such as those without a position: "
        f"{', '.join(counts)}. The figures and the normal distribution include them.",
    )

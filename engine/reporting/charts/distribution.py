"""Distribution of returns: histogram and tails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, book_style
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import linear_axis, log_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.core.types import Vector
    from engine.reporting.charts.plot_layers import PlotLayer
    from engine.runs.documents.analysis_returns import HistogramFigures, TailCurves


def histogram_plot(
    histogram: HistogramFigures, *, finding: str, span: str, notes: tuple[str, ...] = ()
) -> XYPlot:
    """Share of the bars in each bin of returns, the benchmark as an outline.

    Args:
        histogram: Of the strategy and, if there is one, the benchmark.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
        notes: Further notes below the plot.
    """
    edges = _to_vector(histogram.edges_pct)
    bins = (edges[:-1], edges[1:])
    shares = {
        book: _to_vector(histogram.shares_pct[book])
        for book in compared_books(histogram.shares_pct)
    }
    normal = (_to_vector(histogram.normal_returns_pct), _to_vector(histogram.normal_shares_pct))
    highest = max(float(values.max(initial=1.0)) for values in (*shares.values(), normal[1]))
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
    names = [formatting.FINE_PERCENT.interval(*pair) for pair in zip(*bins, strict=True)]
    layers = [
        _histogram_layer(axes, book, (bins, values), names) for book, values in shares.items()
    ]
    return XYPlot(
        key="histogram",
        title="Returns by bar",
        finding=finding,
        description="Share of the bars with a return in each bin, after costs. Dashed: a normal "
        "distribution with the strategy's mean and standard deviation.",
        span=span,
        axes=axes,
        layers=(
            *layers,
            plot_layers.line_layer(axes, LayerStyle("normal", "Normal", "reference"), *normal),
            plot_layers.vertical_line(axes, LayerStyle("zero", "", "zero"), 0.0),
        ),
        notes=notes,
    )


def tail_plot(tails: Mapping[str, TailCurves], *, finding: str, span: str) -> XYPlot:
    """Share of the bars with a loss, or a gain, of at least each size, on a log axis.

    Args:
        tails: Of the strategy and, if there is one, the benchmark.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
    """
    sizes = [size for curves in tails.values() for size in _largest_sizes(curves)]
    lowest = 100.0 / max(curves.bars for curves in tails.values())
    axes = XYAxes(
        LabelledAxis(
            "size of the loss or gain, per cent",
            linear_axis(0.0, max(sizes, default=0.0)),
            formatting.PERCENT,
        ),
        LabelledAxis(
            "bars at least as large, per cent",
            log_axis(min(lowest, 50.0), 100.0),
            formatting.FINE_PERCENT,
        ),
    )
    strategy = tails[STRATEGY]
    layers = [
        _normal_tail_layer(axes, strategy),
        *(
            _tail_layer(
                axes,
                _tail_style(book, "other", "losses"),
                curves.loss_sizes_pct,
                curves.loss_bars,
                curves.bars,
            )
            for book, curves in tails.items()
            if book != STRATEGY
        ),
        _tail_layer(
            axes,
            LayerStyle("gains", f"{book_style(STRATEGY).label}, gains", "hue-4"),
            strategy.gain_sizes_pct,
            strategy.gain_bars,
            strategy.bars,
        ),
        _tail_layer(
            axes,
            _tail_style(STRATEGY, "losses", "losses"),
            strategy.loss_sizes_pct,
            strategy.loss_bars,
            strategy.bars,
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


def compared_books(figures: Iterable[str]) -> tuple[str, ...]:
    """The strategy and, if there is one, the benchmark, whatever the order of a JSON file."""
    return tuple(sorted(figures, key=lambda book: book != STRATEGY))


def _histogram_layer(
    axes: XYAxes, book: str, bars: tuple[tuple[Vector, Vector], Vector], names: Sequence[str]
) -> PlotLayer:
    """Bars for the strategy, an outline for the benchmark."""
    bins, shares = bars
    named = book_style(book)
    if book == STRATEGY:
        style = LayerStyle("strategy", named.label, named.hue)
        return plot_layers.bar_layer(axes, style, bins, shares, names)
    style = LayerStyle("other", named.label, named.hue)
    return plot_layers.step_layer(axes, style, bins, shares, names)


def _tail_layer(
    axes: XYAxes, style: LayerStyle, sizes: Sequence[float], counts: Sequence[int], bars: int
) -> PlotLayer:
    names = [f"{formatting.COUNT(count)} of {formatting.BARS(bars)}" for count in counts]
    shares = 100.0 * _to_vector(counts) / bars
    return plot_layers.line_layer(axes, style, _to_vector(sizes), shares, names)


def _normal_tail_layer(axes: XYAxes, curves: TailCurves) -> PlotLayer:
    sizes, shares = _to_vector(curves.normal_sizes_pct), _to_vector(curves.normal_shares_pct)
    on_axis = shares >= axes.y.axis.low
    style = LayerStyle("normal", "Normal, losses", "reference")
    return plot_layers.line_layer(axes, style, sizes[on_axis], shares[on_axis])


def _tail_style(book: str, key: str, side: str) -> LayerStyle:
    named = book_style(book)
    return LayerStyle(key, f"{named.label}, {side}", named.hue)


def _largest_sizes(curves: TailCurves) -> tuple[float, ...]:
    return (*curves.loss_sizes_pct[:1], *curves.gain_sizes_pct[:1])


def _to_vector(values: Sequence[float]) -> Vector:
    return np.array(values, dtype=np.float64)

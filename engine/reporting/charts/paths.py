"""Charts of the path: depth of drawdowns over resamples, Sharpe ratios over schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, book_style
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector
    from engine.reporting.charts.plot_layers import PlotLayer
    from engine.runs.documents.significance_paths import OffsetFigures, RealisedDrawdownFigures


def drawdown_plot(
    realised: Mapping[str, RealisedDrawdownFigures], *, finding: str, span: str
) -> XYPlot:
    """Share of resampled paths with a max drawdown at least as deep, a line a book.

    Args:
        realised: Book -> quantiles over the run's own length, and what was realised.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
    """
    deepest = [
        min(each.max_drawdown_pct, *each.quantiles_pct[:1] or (0.0,)) for each in realised.values()
    ]
    axes = XYAxes(
        LabelledAxis(
            "max drawdown, per cent", linear_axis(min(deepest), 0.0, ticks=8), formatting.PERCENT
        ),
        LabelledAxis(
            "paths at least as deep, per cent", linear_axis(0.0, 100.0), formatting.PERCENT
        ),
    )
    layers: list[PlotLayer] = []
    for book, each in sorted(realised.items(), key=lambda item: item[0] == STRATEGY):
        named = book_style(book)
        depths, shares = _to_vector(each.quantiles_pct), 100.0 * _to_vector(each.levels)
        style = LayerStyle(book, named.label, named.hue)
        names = [f"{formatting.PERCENT(share)} of paths" for share in shares.tolist()]
        layers.append(plot_layers.line_layer(axes, style, depths, shares, names))
        mark = LayerStyle(f"{book}-realised", f"{named.label}, realised", f"{named.hue} large")
        at, share = np.array([each.max_drawdown_pct]), np.array([100.0 * each.deeper_probability])
        layers.append(plot_layers.dot_layer(axes, mark, at, share, ["realised"]))
    return XYPlot(
        key="drawdown-depths",
        title="Max drawdown over the length of the run",
        finding=finding,
        description="Share of resampled paths, each as long as the run, whose max drawdown is at "
        "least as deep. A dot marks the max drawdown that the run had.",
        span=span,
        axes=axes,
        layers=tuple(layers),
    )


def offsets_plot(figures: OffsetFigures, *, finding: str, span: str) -> XYPlot:
    """Sharpe ratio of each schedule of windows, with that of holding as a line.

    Args:
        figures: The schedules; the run's own first.
        finding: What the figures show, in one sentence.
        span: First common bar, last bar and number of bars.
    """
    ratios = np.array([np.nan if p.sharpe is None else p.sharpe for p in figures.paths])
    shifts = np.array([float(path.shift_bars) for path in figures.paths])
    held = figures.holding_sharpe
    shown = [0.0, *ratios[np.isfinite(ratios)].tolist(), *([] if held is None else [held])]
    axes = XYAxes(
        LabelledAxis(
            "start of the windows, bars after the run's own",
            linear_axis(0.0, float(shifts.max())),
            formatting.BARS,
        ),
        LabelledAxis(
            "annualised Sharpe ratio", linear_axis(min(shown), max(shown)), formatting.SIGNED_RATIO
        ),
    )
    own, others = (
        LayerStyle("run", "This run", "hue-0 large"),
        LayerStyle("others", "Other schedules", "hue-4 large"),
    )
    names = [f"offset {path.offset} of {figures.offsets}" for path in figures.paths]
    layers = [
        plot_layers.horizontal_line(axes, LayerStyle("zero", "", "zero"), 0.0),
        *(
            []
            if held is None
            else [
                plot_layers.horizontal_line(
                    axes, LayerStyle("holding", "Buy and hold", "reference"), held
                )
            ]
        ),
        plot_layers.dot_layer(axes, others, shifts[1:], ratios[1:], names[1:]),
        plot_layers.dot_layer(axes, own, shifts[:1], ratios[:1], names[:1]),
    ]
    return XYPlot(
        key="offset-ratios",
        title="Sharpe ratio by the start of the windows",
        finding=finding,
        description="Each dot is the strategy trained and traded with walk-forward windows that "
        "begin so many bars later, measured on the bars that all of them have.",
        span=span,
        axes=axes,
        layers=tuple(layers),
    )


def _to_vector(values: tuple[float, ...]) -> Vector:
    return np.array(values, dtype=np.float64)

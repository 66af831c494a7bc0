"""Charts of the path: drawdowns over resamples, Sharpe ratios over schedules and splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, book_style
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import categorical_axis, linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Vector
    from engine.reporting.charts.plot_layers import PlotLayer
    from engine.runs.documents.significance_combinatorial import CombinatorialFigures
    from engine.runs.documents.significance_paths import OffsetFigures, RealisedDrawdownFigures

MANY_PATHS = 20
"""Paths above which their dots are smaller."""


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


def combinatorial_plot(figures: CombinatorialFigures, *, finding: str, span: str) -> XYPlot:
    """Sharpe ratio of each path, on all bars and on those of the run, beside run and holding.

    Args:
        figures: The paths.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of bars.
    """
    all_bars = [each.sharpe for each in figures.paths]
    common_bars = [each.common_sharpe for each in figures.paths]
    held = [figures.holding.sharpe, figures.common.holding.sharpe]
    own = [figures.common.run.sharpe]
    shown = [
        0.0,
        *(ratio for ratio in (*all_bars, *common_bars, *held, *own) if ratio is not None),
    ]
    axes = XYAxes(
        LabelledAxis(
            "measured on",
            categorical_axis(("bars of the groups", "bars of this run")),
            None,
        ),
        LabelledAxis(
            "annualised Sharpe ratio", linear_axis(min(shown), max(shown)), formatting.SIGNED_RATIO
        ),
    )
    count = len(figures.paths)
    # Side by side, so that equal ratios do not hide each other.
    beside = np.linspace(-0.3, 0.3, count) if count > 1 else np.zeros(1)
    names = [f"path {each.path} of {count}" for each in figures.paths]
    held_style = book_style(BUY_AND_HOLD)
    layers = [
        plot_layers.horizontal_line(axes, LayerStyle("zero", "", "zero"), 0.0),
        plot_layers.dot_layer(
            axes,
            LayerStyle(
                "paths", "Cross-validated paths", "hue-4" if count > MANY_PATHS else "hue-4 large"
            ),
            np.concatenate([beside, 1.0 + beside]),
            _to_ratios([*all_bars, *common_bars]),
            names * 2,
        ),
        *(
            plot_layers.line_layer(
                axes,
                LayerStyle(key, label, css),
                np.concatenate([[place - 0.42, place + 0.42, np.nan] for place in places]),
                _to_ratios([each for ratio in ratios for each in (ratio, ratio, None)]),
            )
            for key, label, css, places, ratios in (
                (BUY_AND_HOLD, held_style.label, held_style.hue, (0.0, 1.0), held),
                (STRATEGY, "This run, walk-forward", "hue-0", (1.0,), own),
            )
        ),
    ]
    return XYPlot(
        key="combinatorial-ratios",
        title="Sharpe ratios of the cross-validated paths",
        finding=finding,
        description="Each dot is one path over all groups of bars, each group forecast by a model "
        "that was fitted on other groups, earlier and later ones.",
        span=span,
        axes=axes,
        layers=tuple(layers),
    )


def _to_ratios(ratios: Sequence[float | None]) -> Vector:
    """Shape (n,), NaN where there is no ratio."""
    return np.array([np.nan if ratio is None else ratio for ratio in ratios])


def _to_vector(values: tuple[float, ...]) -> Vector:
    return np.array(values, dtype=np.float64)

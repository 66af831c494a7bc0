"""Forecasts against outcomes: scatter, calibration, rank correlation, direction by regime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import Axis, categorical_axis, linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, XYAxes
from engine.reporting.charts.xy_plot import XYPlot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Vector
    from engine.evaluation.forecasts.calibration import CalibrationBin
    from engine.evaluation.forecasts.directional_accuracy import DirectionalAccuracy
    from engine.evaluation.forecasts.information_coefficient import RankIc
    from engine.evaluation.inference.regression import HacRegression

MAX_DOTS = 1500
"""Largest number of forecasts drawn."""

BPS_PER_UNIT = 10_000.0
BAR_HALF_WIDTH = 0.38
"""Half the width of a bar on an axis of names."""

PERFECT_FORECAST_STYLE = LayerStyle("perfect", "Perfect forecast", "reference")
ZERO_LINE = LayerStyle("zero", "", "zero")


def forecast_scatter_plot(
    forecasts: pd.DataFrame, line: HacRegression | None, *, finding: str, span: str
) -> XYPlot:
    """Every forecast against its outcome, with the least-squares line.

    Args:
        forecasts: Mean over the seeds, at least one row.
        line: Outcome on forecast, fractions; None where there is none.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of forecasts.
    """
    predicted, actual = (
        BPS_PER_UNIT * forecasts[name].to_numpy() for name in ("predicted", "actual")
    )
    axes = XYAxes(
        LabelledAxis("forecast, bps", _finite_axis(predicted), formatting.SIGNED_BPS),
        LabelledAxis("outcome, bps", _finite_axis(np.append(actual, 0.0)), formatting.SIGNED_BPS),
    )
    rows = np.arange(len(forecasts))
    if len(forecasts) > MAX_DOTS:
        rows = np.unique(np.linspace(0, len(forecasts) - 1, MAX_DOTS).astype(int))
    layers = [
        plot_layers.horizontal_line(axes, ZERO_LINE, 0.0),
        plot_layers.dot_layer(
            axes,
            LayerStyle("forecasts", "Forecasts", "hue-0 small"),
            predicted[rows],
            actual[rows],
            _forecast_labels(forecasts.iloc[rows]),
        ),
        plot_layers.identity_line(axes, PERFECT_FORECAST_STYLE),
    ]
    if line is not None:
        ends = np.array([predicted.min(), predicted.max()])
        style = LayerStyle("fit", "Fitted line", "hue-2 strong")
        layers.append(
            plot_layers.line_layer(
                axes, style, ends, BPS_PER_UNIT * line.intercept + line.slope * ends
            )
        )
    return XYPlot(
        key="scatter",
        title="Forecasts against outcomes",
        finding=finding,
        description="One dot for each forecast, the mean over its seeds, and its outcome.",
        span=span,
        axes=axes,
        layers=tuple(layers),
        shape="square",
        notes=_downsampling_note(len(rows), len(forecasts)),
    )


def calibration_plot(
    groups: Sequence[CalibrationBin], *, finding: str, description: str, span: str
) -> XYPlot:
    """Mean outcome of each group of forecasts, with its interval, against the forecast.

    Args:
        groups: At least one.
        finding: What the figures show, in one sentence.
        description: Size of the groups, and how the intervals are computed.
        span: First bar, last bar and number of forecasts.
    """
    x = BPS_PER_UNIT * np.array([group.predicted for group in groups])
    y = BPS_PER_UNIT * np.array([group.actual for group in groups])
    low = BPS_PER_UNIT * _to_float_array([group.actual_low for group in groups])
    high = BPS_PER_UNIT * _to_float_array([group.actual_high for group in groups])
    outcomes = np.concatenate((y, low, high, np.zeros(1)))
    axes = XYAxes(
        LabelledAxis("mean forecast, bps", _finite_axis(x), formatting.SIGNED_BPS),
        LabelledAxis("mean outcome, bps", _finite_axis(outcomes), formatting.SIGNED_BPS),
    )
    names = [
        f"Group {group.number} of forecasts, {formatting.count_of(group.rows, 'forecast')}"
        for group in groups
    ]
    return XYPlot(
        key="calibration",
        title="Calibration",
        finding=finding,
        description=description,
        span=span,
        axes=axes,
        layers=(
            plot_layers.horizontal_line(axes, ZERO_LINE, 0.0),
            plot_layers.identity_line(axes, PERFECT_FORECAST_STYLE),
            plot_layers.whisker_layer(
                axes, LayerStyle("groups", "Outcomes", "hue-0"), x, y, (low, high), names
            ),
        ),
        shape="square",
    )


def rank_ic_plot(rank_ic: RankIc, *, finding: str, span: str, notes: tuple[str, ...]) -> XYPlot:
    """Contribution of each period to the rank correlation as a bar, the total as a line.

    Args:
        rank_ic: At least one period.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of forecasts.
        notes: Notes on reading the plot.
    """
    values = np.array(rank_ic.values)
    positions = np.arange(len(values), dtype=np.float64)
    axes = XYAxes(
        LabelledAxis(rank_ic.period, categorical_axis(rank_ic.period_labels), None),
        LabelledAxis(
            "mean product of ranks",
            linear_axis(min(-0.2, float(values.min())), max(0.2, float(values.max()))),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [
        f"{name}, {formatting.count_of(rows, 'forecast')}"
        for name, rows in zip(rank_ic.period_labels, rank_ic.rows, strict=True)
    ]
    layers = [
        plot_layers.bar_layer(
            axes,
            LayerStyle("ic", "One " + rank_ic.period, "hue-0"),
            _bar_edges(positions),
            values,
            names,
        ),
        plot_layers.horizontal_line(axes, ZERO_LINE, 0.0),
    ]
    if rank_ic.overall is not None and len(values) > 1:
        layers.append(
            plot_layers.horizontal_line(
                axes, LayerStyle("whole", "Whole span", "reference"), rank_ic.overall
            )
        )
    return XYPlot(
        key="rank-ic",
        title=f"Rank correlation by {rank_ic.period}",
        finding=finding,
        description="Time-series rank correlation (Spearman) of forecasts and outcomes, split by "
        f"{rank_ic.period}: the mean product of their standardised ranks. Above 0, high "
        "forecasts went with high outcomes. The mean weighted by bars is the rank correlation "
        "of the whole span.",
        span=span,
        axes=axes,
        layers=tuple(layers),
        notes=notes,
    )


def direction_plot(
    directions: Mapping[str, DirectionalAccuracy],
    *,
    finding: str,
    description: str,
    span: str,
    notes: tuple[str, ...],
) -> XYPlot:
    """Directional accuracy in each regime with its interval, and that of always up.

    Args:
        directions: Regime -> its figures, at least one, in the order drawn.
        finding: What the figures show, in one sentence.
        description: What the regimes are.
        span: First bar, last bar and number of forecasts.
        notes: Notes on reading the plot.
    """
    regimes = list(directions)
    figures = list(directions.values())
    positions = np.arange(len(regimes), dtype=np.float64)
    hits, low, high, up = (
        100.0 * np.array([getattr(each, name) for each in figures])
        for name in ("hit_share", "low", "high", "up_share")
    )
    values = np.concatenate((low, high, up, [50.0]))
    axes = XYAxes(
        LabelledAxis("market regime at the decision", categorical_axis(regimes), None),
        LabelledAxis(
            "directional accuracy, per cent",
            linear_axis(float(values.min()), float(values.max())),
            formatting.PERCENT,
        ),
    )
    names = [
        f"{regime}, {formatting.count_of(each.rows, 'forecast')}"
        for regime, each in directions.items()
    ]
    return XYPlot(
        key="direction",
        title="Directional accuracy by market regime",
        finding=finding,
        description=description,
        span=span,
        axes=axes,
        layers=(
            plot_layers.horizontal_line(axes, LayerStyle("coin", "50 %", "reference"), 50.0),
            plot_layers.dot_layer(
                axes, LayerStyle("up", "Always up", "hue-1 large"), positions + 0.12, up, names
            ),
            plot_layers.whisker_layer(
                axes,
                LayerStyle("hits", "Forecasts", "hue-0"),
                positions - 0.12,
                hits,
                (low, high),
                names,
            ),
        ),
        notes=notes,
    )


def _finite_axis(values: Vector) -> Axis:
    known = values[np.isfinite(values)]
    return linear_axis(float(known.min()), float(known.max()))


def _forecast_labels(forecasts: pd.DataFrame) -> list[str]:
    stamps = pd.DatetimeIndex(forecasts["timestamp"])
    single_symbol = forecasts["symbol"].nunique() == 1
    return [
        formatting.timestamp(stamp)
        if single_symbol
        else f"{symbol}, {formatting.timestamp(stamp)}"
        for stamp, symbol in zip(stamps, forecasts["symbol"], strict=True)
    ]


def _bar_edges(centres: Vector) -> tuple[Vector, Vector]:
    return centres - BAR_HALF_WIDTH, centres + BAR_HALF_WIDTH


def _to_float_array(values: Sequence[float | None]) -> Vector:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _downsampling_note(drawn: int, rows: int) -> tuple[str, ...]:
    if drawn == rows:
        return ()
    return (
        f"Drawn: {formatting.COUNT(drawn)} of {formatting.count_of(rows, 'forecast')}, evenly "
        "spaced in time; the line is fitted to all of them.",
    )

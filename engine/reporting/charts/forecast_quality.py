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
from engine.reporting.forecast_unit import RETURN_UNIT, ForecastUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.runs.documents.analysis_forecasts import (
        CalibrationFigures,
        DirectionFigures,
        ForecastRegressionFigures,
        RankCorrelationFigures,
    )

MAX_DOTS = 1500
"""Largest number of forecasts drawn."""

BPS_PER_UNIT = 10_000.0
BAR_HALF_WIDTH = 0.38
"""Half the width of a bar on an axis of names."""

PERFECT_FORECAST_STYLE = LayerStyle("perfect", "Perfect forecast", "reference")
ZERO_LINE = LayerStyle("zero", "", "zero")


def forecast_scatter_plot(
    forecasts: pd.DataFrame,
    line: ForecastRegressionFigures | None,
    *,
    finding: str,
    span: str,
    unit: ForecastUnit = RETURN_UNIT,
) -> XYPlot:
    """Every forecast against its outcome, with the least-squares line.

    Args:
        forecasts: Mean over the seeds, at least one row.
        line: Regression of outcome on forecast; None where there is none.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of forecasts.
        unit: Of both axes.
    """
    predicted, actual = (
        unit.per_bps * BPS_PER_UNIT * forecasts[name].to_numpy()
        for name in ("predicted", "actual")
    )
    number_format = unit.number_format(signed=True)
    axes = XYAxes(
        LabelledAxis(f"forecast, {unit.name}", _finite_axis(predicted), number_format),
        LabelledAxis(f"outcome, {unit.name}", _finite_axis(np.append(actual, 0.0)), number_format),
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
                axes, style, ends, unit.per_bps * line.intercept_bps + line.slope * ends
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
    groups: Sequence[CalibrationFigures],
    *,
    finding: str,
    description: str,
    span: str,
    unit: ForecastUnit = RETURN_UNIT,
) -> XYPlot:
    """Mean outcome of each group of forecasts, with its interval, against the forecast.

    Args:
        groups: At least one.
        finding: What the figures show, in one sentence.
        description: Size of the groups, and how the intervals are computed.
        span: First bar, last bar and number of forecasts.
        unit: Of both axes.
    """
    x = unit.per_bps * np.array([group.predicted_bps for group in groups])
    y = unit.per_bps * np.array([group.actual_bps for group in groups])
    low = unit.per_bps * _to_float_array([group.actual_low_bps for group in groups])
    high = unit.per_bps * _to_float_array([group.actual_high_bps for group in groups])
    number_format = unit.number_format(signed=True)
    outcomes = np.concatenate((y, low, high, np.zeros(1)))
    axes = XYAxes(
        LabelledAxis(f"mean forecast, {unit.name}", _finite_axis(x), number_format),
        LabelledAxis(f"mean outcome, {unit.name}", _finite_axis(outcomes), number_format),
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


def rank_correlation_plot(
    ranks: RankCorrelationFigures, *, finding: str, span: str, notes: tuple[str, ...]
) -> XYPlot:
    """Contribution of each period to the rank correlation as a bar, the total as a line.

    Args:
        ranks: At least one period.
        finding: What the figures show, in one sentence.
        span: First bar, last bar and number of forecasts.
        notes: Notes on reading the plot.
    """
    values = np.array([period.value for period in ranks.periods])
    positions = np.arange(len(values), dtype=np.float64)
    labels = [period.label for period in ranks.periods]
    axes = XYAxes(
        LabelledAxis(ranks.period, categorical_axis(labels), None),
        LabelledAxis(
            "mean product of ranks",
            linear_axis(min(-0.2, float(values.min())), max(0.2, float(values.max()))),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [
        f"{period.label}, {formatting.count_of(period.rows, 'forecast')}"
        for period in ranks.periods
    ]
    style = LayerStyle("periods", "One " + ranks.period, "hue-0")
    layers = [
        plot_layers.bar_layer(axes, style, _bar_edges(positions), values, names),
        plot_layers.horizontal_line(axes, ZERO_LINE, 0.0),
    ]
    if ranks.overall is not None and len(values) > 1:
        style = LayerStyle("overall", "Whole span", "reference")
        layers.append(plot_layers.horizontal_line(axes, style, ranks.overall))
    return XYPlot(
        key="rank-correlation",
        title=f"Time-series rank correlation by {ranks.period}",
        finding=finding,
        description="Time-series rank correlation (Spearman) of forecasts and outcomes, split by "
        f"{ranks.period}: the mean product of their standardised ranks. Above 0, high forecasts "
        "went with high outcomes. The mean weighted by bars is the rank correlation of the whole "
        "span.",
        span=span,
        axes=axes,
        layers=tuple(layers),
        notes=notes,
    )


def direction_plot(
    directions: Sequence[DirectionFigures],
    *,
    finding: str,
    description: str,
    span: str,
    notes: tuple[str, ...],
) -> XYPlot:
    """Directional accuracy in each regime with its interval, and that of always up.

    Args:
        directions: Of each regime, at least one, in the order drawn.
        finding: What the figures show, in one sentence.
        description: What the regimes are.
        span: First bar, last bar and number of forecasts.
        notes: Notes on reading the plot.
    """
    positions = np.arange(len(directions), dtype=np.float64)
    accuracy, low, high, up = (
        np.array([getattr(direction, name) for direction in directions])
        for name in ("hit_pct", "low_pct", "high_pct", "up_pct")
    )
    values = np.concatenate((low, high, up, [50.0]))
    regimes = [direction.state for direction in directions]
    axes = XYAxes(
        LabelledAxis("market regime at the decision", categorical_axis(regimes), None),
        LabelledAxis(
            "directional accuracy, per cent",
            linear_axis(float(values.min()), float(values.max())),
            formatting.PERCENT,
        ),
    )
    names = [
        f"{direction.state}, {formatting.count_of(direction.rows, 'forecast')}"
        for direction in directions
    ]
    return XYPlot(
        key="direction",
        title="Directional accuracy by market regime",
        finding=finding,
        description=description,
        span=span,
        axes=axes,
        layers=(
            plot_layers.horizontal_line(axes, LayerStyle("coin", "Chance", "reference"), 50.0),
            plot_layers.dot_layer(
                axes, LayerStyle("up", "Always up", "hue-1 large"), positions + 0.12, up, names
            ),
            plot_layers.whisker_layer(
                axes,
                LayerStyle("hits", "Forecasts", "hue-0"),
                positions - 0.12,
                accuracy,
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
    stamps = [formatting.timestamp(stamp) for stamp in pd.DatetimeIndex(forecasts["timestamp"])]
    if forecasts["symbol"].nunique() == 1:
        return stamps
    return [
        f"{symbol}, {stamp}" for symbol, stamp in zip(forecasts["symbol"], stamps, strict=True)
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

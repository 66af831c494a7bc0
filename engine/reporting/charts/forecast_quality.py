"""Forecasts against what came: one by one, by size, by month, by the market's state."""

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
    from engine.evaluation.forecasts.time_series_rank_correlation import TimeSeriesRankCorrelation
    from engine.evaluation.inference.regression import HacRegression

MAX_DOTS = 1500
"""Forecasts drawn at most."""

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
        forecasts: As `forecast.mean_forecasts` gives it, at least a row.
        line: Outcome on forecast, fractions; None where there is none.
        finding: What the figures say.
        span: Over which bars.
    """
    predicted, actual = (
        BPS_PER_UNIT * forecasts[name].to_numpy() for name in ("predicted", "actual")
    )
    frame = XYAxes(
        LabelledAxis("forecast, bps", _finite_axis(predicted), formatting.SIGNED_BPS),
        LabelledAxis("outcome, bps", _finite_axis(np.append(actual, 0.0)), formatting.SIGNED_BPS),
    )
    rows = np.arange(len(forecasts))
    if len(forecasts) > MAX_DOTS:
        rows = np.unique(np.linspace(0, len(forecasts) - 1, MAX_DOTS).astype(int))
    layers = [
        plot_layers.horizontal_line(frame, ZERO_LINE, 0.0),
        plot_layers.dot_layer(
            frame,
            LayerStyle("forecasts", "Forecasts", "hue-0 small"),
            predicted[rows],
            actual[rows],
            _forecast_labels(forecasts.iloc[rows]),
        ),
        plot_layers.identity_line(frame, PERFECT_FORECAST_STYLE),
    ]
    if line is not None:
        ends = np.array([predicted.min(), predicted.max()])
        style = LayerStyle("fit", "Fitted line", "hue-2 strong")
        layers.append(
            plot_layers.line_layer(
                frame, style, ends, BPS_PER_UNIT * line.intercept + line.slope * ends
            )
        )
    return XYPlot(
        key="scatter",
        title="Predicted against realised",
        finding=finding,
        description="A dot a forecast, mean over the seeds, and what came of it.",
        span=span,
        axes=frame,
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
        finding: What the figures say.
        description: How large groups are and what the intervals are.
        span: Over which bars.
    """
    x = BPS_PER_UNIT * np.array([group.predicted for group in groups])
    y = BPS_PER_UNIT * np.array([group.actual for group in groups])
    low = BPS_PER_UNIT * _to_float_array([group.actual_low for group in groups])
    high = BPS_PER_UNIT * _to_float_array([group.actual_high for group in groups])
    reach = np.concatenate((y, low, high, np.zeros(1)))
    frame = XYAxes(
        LabelledAxis("mean forecast, bps", _finite_axis(x), formatting.SIGNED_BPS),
        LabelledAxis("mean outcome, bps", _finite_axis(reach), formatting.SIGNED_BPS),
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
        axes=frame,
        layers=(
            plot_layers.horizontal_line(frame, ZERO_LINE, 0.0),
            plot_layers.identity_line(frame, PERFECT_FORECAST_STYLE),
            plot_layers.whisker_layer(
                frame, LayerStyle("groups", "Outcomes", "hue-0"), x, y, (low, high), names
            ),
        ),
        shape="square",
    )


def rank_correlation_plot(
    correlation: TimeSeriesRankCorrelation, *, finding: str, span: str, notes: tuple[str, ...]
) -> XYPlot:
    """Each period's part in the rank correlation as a bar, the whole as a line.

    Args:
        correlation: At least one period.
        finding: What the figures say.
        span: Over which bars.
        notes: On how to read it.
    """
    values = np.array(correlation.values)
    places = np.arange(len(values), dtype=np.float64)
    frame = XYAxes(
        LabelledAxis(correlation.period, categorical_axis(correlation.period_labels), None),
        LabelledAxis(
            "mean product of ranks",
            linear_axis(min(-0.2, float(values.min())), max(0.2, float(values.max()))),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [
        f"{name}, {formatting.count_of(rows, 'forecast')}"
        for name, rows in zip(correlation.period_labels, correlation.rows, strict=True)
    ]
    layers = [
        plot_layers.bar_layer(
            frame,
            LayerStyle("period", "One " + correlation.period, "hue-0"),
            _bar_edges(places),
            values,
            names,
        ),
        plot_layers.horizontal_line(frame, ZERO_LINE, 0.0),
    ]
    if correlation.overall is not None and len(values) > 1:
        layers.append(
            plot_layers.horizontal_line(
                frame, LayerStyle("whole", "Whole span", "reference"), correlation.overall
            )
        )
    return XYPlot(
        key="rank-correlation",
        title=f"Time-series rank correlation by {correlation.period}",
        finding=finding,
        description="Spearman's rank correlation of each symbol's forecasts and outcomes over "
        f"time, cut into {correlation.period}s: the mean product of their standardised ranks. "
        "Above 0, high forecasts came with high outcomes; weighted by bars the parts add up to "
        "the whole.",
        span=span,
        axes=frame,
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
    """Hit rate of each state with its interval, beside that of always saying up.

    Args:
        directions: State -> its figures, at least one, in the order drawn.
        finding: What the figures say.
        description: What the states are.
        span: Over which bars.
        notes: What else.
    """
    states = list(directions)
    figures = list(directions.values())
    places = np.arange(len(states), dtype=np.float64)
    hits, low, high, up = (
        100.0 * np.array([getattr(each, name) for each in figures])
        for name in ("hit_share", "low", "high", "up_share")
    )
    together = np.concatenate((low, high, up, [50.0]))
    frame = XYAxes(
        LabelledAxis("state of the market at the decision", categorical_axis(states), None),
        LabelledAxis(
            "right, per cent",
            linear_axis(float(together.min()), float(together.max())),
            formatting.PERCENT,
        ),
    )
    names = [
        f"{state}, {formatting.count_of(each.rows, 'forecast')}"
        for state, each in directions.items()
    ]
    return XYPlot(
        key="direction",
        title="Direction by state of the market",
        finding=finding,
        description=description,
        span=span,
        axes=frame,
        layers=(
            plot_layers.horizontal_line(frame, LayerStyle("coin", "A coin", "reference"), 50.0),
            plot_layers.dot_layer(
                frame, LayerStyle("up", "Always up", "hue-1 large"), places + 0.12, up, names
            ),
            plot_layers.whisker_layer(
                frame,
                LayerStyle("hits", "Forecasts", "hue-0"),
                places - 0.12,
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
    alone = forecasts["symbol"].nunique() == 1
    return [
        formatting.timestamp(stamp) if alone else f"{symbol}, {formatting.timestamp(stamp)}"
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

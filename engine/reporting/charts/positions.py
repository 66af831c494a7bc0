"""Price of one symbol and the strategy's target weight in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import linear_axis, log_axis, time_axis

FINE_WEIGHT = formatting.NumberFormat(3)
"""Of a symbol among several."""

_LONGEST_CLOSURE = pd.Timedelta(days=7)
"""Longest time without a bar in which the last close is shown: weekends and holidays of an
exchange beside one that is open. A longer halt breaks the line."""


def positions_chart(
    key: str,
    symbol: str,
    close: pd.Series[float],
    weights: pd.Series[float],
    *,
    highest: float = 1.0,
) -> time_chart.TimeChart:
    """Closes on a log axis, shaded by the side of the target weight; target weights below.

    Args:
        key: Id of the chart.
        symbol: Name of the symbol.
        close: Index timestamp, shape (n,): closes of the out-of-sample bars, positive.
        weights: Index timestamp, shape (n,): weight decided at each close; NaN before the first.
        highest: Weight that the axis reaches at least: that of the whole equity, or of the largest
            of several symbols, so that their charts have one scale.
    """
    series = pd.DataFrame({"close": close, "weight": weights.ffill().fillna(0.0)})
    table = time_chart.downsample_rows(series)
    index = pd.DatetimeIndex(table.index)
    price = table["close"].to_numpy(dtype=np.float64)
    weight = table["weight"].to_numpy(dtype=np.float64)
    time = time_axis(index[0], index[-1])
    x_fractions = time.to_fraction(index)
    return time_chart.TimeChart(
        key=key,
        title=f"Positions in {symbol}",
        description=(
            "Close on a log axis, shaded while the target weight is long or short. Below, the "
            "target weight decided at each close; 1 is all of the equity."
        ),
        span=time_chart.describe_span(pd.DatetimeIndex(series.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            _price_panel(index, x_fractions, price, weight),
            _weight_panel(x_fractions, weight, highest),
        ),
        notes=time_chart.downsampling_note(len(series), len(table)),
    )


def _price_panel(
    index: pd.DatetimeIndex, x_fractions: np.ndarray, price: np.ndarray, weight: np.ndarray
) -> time_chart.ChartPanel:
    axis = log_axis(float(np.nanmin(price)), float(np.nanmax(price)))
    price = _carry_over_closures(index, price)
    path = svg_paths.line_path(x_fractions, axis.to_fraction(price))
    return time_chart.ChartPanel(
        label="close",
        height="medium",
        ticks=axis.ticks,
        number_format=formatting.PRICE,
        lines=(
            time_chart.LineSeries(
                "close", "Close", "price", path, svg_paths.to_json_values(price)
            ),
        ),
        areas=(
            time_chart.Area(
                "long", svg_paths.band_path(x_fractions, weight > 0), "weight", "above"
            ),
            time_chart.Area(
                "short", svg_paths.band_path(x_fractions, weight < 0), "weight", "below"
            ),
        ),
        rescaling=time_chart.AxisRescaling(log=True, always=()),
    )


def _carry_over_closures(index: pd.DatetimeIndex, price: np.ndarray) -> np.ndarray:
    """The last close where a symbol has no bar, up to its next one if that is not far away."""
    rows = np.flatnonzero(~np.isnan(price))
    carried = price.copy()
    is_short = np.diff(index[rows]) <= _LONGEST_CLOSURE.to_timedelta64()
    for first, last in zip(rows[:-1][is_short], rows[1:][is_short], strict=True):
        carried[first + 1 : last] = price[first]
    return carried


def _weight_panel(
    x_fractions: np.ndarray, weight: np.ndarray, highest: float
) -> time_chart.ChartPanel:
    axis = linear_axis(min(0.0, float(weight.min())), max(highest, float(weight.max())), ticks=4)
    floor = float(axis.to_fraction(np.zeros(1))[0])
    steps = svg_paths.step_area_path(x_fractions, axis.to_fraction(weight), floor)
    return time_chart.ChartPanel(
        label="target weight",
        height="short",
        ticks=axis.ticks,
        number_format=formatting.WEIGHT if highest >= 1.0 else FINE_WEIGHT,
        lines=(
            time_chart.LineSeries(
                "weight", "Target weight", "weight", "", svg_paths.to_json_values(weight)
            ),
        ),
        areas=(time_chart.Area("weight", steps, "weight", "steps"),),
        baseline=svg_paths.distance_from_top(axis, 0.0),
        rescaling=time_chart.AxisRescaling(ticks=4, always=(0.0, highest)),
    )

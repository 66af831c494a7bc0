"""Figures of the last bars at each bar, as lines over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class RollingMetric:
    """What is drawn.

    Attributes:
        key: Id of the chart.
        title: A noun.
        finding: What its figures say.
        description: What it shows.
        axis_label: Of the vertical axis.
        number_format: Of its figures.
        reference_value: Value of the reference line, always within the axis.
    """

    key: str
    title: str
    finding: str
    description: str
    axis_label: str
    number_format: NumberFormat
    reference_value: float


def rolling_chart(
    metric_values: pd.DataFrame, books: Sequence[BookStyle], metric: RollingMetric
) -> time_chart.TimeChart:
    """A line a book around the reference.

    Args:
        metric_values: Index timestamp, a column a book; NaN where there is no figure.
        books: Those to draw, in the order of the legend.
        metric: What the figures are.
    """
    table = time_chart.downsample_rows(metric_values)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    known = np.append(values[np.isfinite(values)], metric.reference_value)
    axis = linear_axis(float(known.min()), float(known.max()))
    time = time_axis(index[0], index[-1])
    return time_chart.TimeChart(
        key=metric.key,
        title=metric.title,
        finding=metric.finding,
        description=metric.description,
        span=time_chart.describe_span(pd.DatetimeIndex(metric_values.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label=metric.axis_label,
                height="medium",
                ticks=axis.ticks,
                number_format=metric.number_format,
                lines=time_chart.book_line_series(table, books, time, axis),
                baseline=time_chart.distance_from_top(axis, metric.reference_value),
                rescaling=time_chart.AxisRescaling(
                    always=(metric.reference_value,), baseline=metric.reference_value
                ),
            ),
        ),
        notes=time_chart.downsampling_note(len(metric_values), len(table)),
    )

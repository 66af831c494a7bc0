"""Equity and drawdown of every book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import growth_axis, linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle


def equity_chart(growth: pd.DataFrame, books: Sequence[BookStyle]) -> time_chart.TimeChart:
    """Equity on a log axis.

    Args:
        growth: Index timestamp, one column for each book: growth of 1 up to each bar.
        books: In the order of the legend.
    """
    table = time_chart.downsample_rows(growth)
    index = pd.DatetimeIndex(table.index)
    axis = growth_axis(table.to_numpy(dtype=np.float64))
    time = time_axis(index[0], index[-1])
    ruined = [book.label for book in books if (growth[book.key] <= 0).any()]
    notes = tuple(
        f"{label} lost all of its equity, which a log axis cannot show." for label in ruined
    )
    return time_chart.TimeChart(
        key="equity",
        title="Equity",
        description="Growth of 1 after all costs, on a log axis: equal distances are equal "
        "percentages.",
        span=time_chart.describe_span(pd.DatetimeIndex(growth.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label="equity, start = 1",
                height="tall",
                ticks=axis.ticks,
                number_format=formatting.GROWTH,
                lines=time_chart.book_line_series(table, books, time, axis),
                baseline=svg_paths.distance_from_top(axis, 1.0),
                rescaling=time_chart.AxisRescaling(
                    log=True, always=(1.0,), baseline=1.0, rebased="equity"
                ),
            ),
        ),
        notes=notes + time_chart.downsampling_note(len(growth), len(table)),
    )


def drawdown_chart(drawdown_pct: pd.DataFrame, books: Sequence[BookStyle]) -> time_chart.TimeChart:
    """Drawdown below zero, that of the strategy filled.

    Args:
        drawdown_pct: Index timestamp, one column for each book: loss from the highest equity so
            far in per cent, at most 0.
        books: In the order of the legend.
    """
    table = time_chart.downsample_rows(drawdown_pct)
    index = pd.DatetimeIndex(table.index)
    axis = linear_axis(min(-1.0, float(np.nanmin(table.to_numpy()))), 0.0, ticks=4)
    time = time_axis(index[0], index[-1])
    lines = time_chart.book_line_series(table, books, time, axis)
    strategy = next((line for line in lines if line.key == STRATEGY), None)
    areas = (
        time_chart.Area(
            "underwater",
            _underwater_path(strategy, axis.to_fraction(np.zeros(1))[0]),
            STRATEGY,
            "under",
        ),
    )
    return time_chart.TimeChart(
        key="drawdown",
        title="Drawdown",
        description="Loss from the highest equity so far; zero is a new high.",
        span=time_chart.describe_span(pd.DatetimeIndex(drawdown_pct.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label="per cent below the peak",
                height="medium",
                ticks=axis.ticks,
                number_format=formatting.PERCENT,
                lines=lines,
                areas=areas if strategy else (),
                baseline=svg_paths.distance_from_top(axis, 0.0),
                rescaling=time_chart.AxisRescaling(ticks=4, always=(-1.0, 0.0)),
            ),
        ),
        notes=time_chart.downsampling_note(len(drawdown_pct), len(table)),
    )


def _underwater_path(line: time_chart.LineSeries | None, zero_position: float) -> str:
    if line is None or not line.path:
        return ""
    top = round(svg_paths.VIEWBOX_SIZE * (1.0 - zero_position))
    return f"{line.path}V{top}H0Z"

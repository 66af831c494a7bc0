"""Drawdown of every book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import linear_axis, time_axis
from engine.reporting.charts.equity import cumulative_growth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle


def drawdown_pct(returns: pd.DataFrame) -> pd.DataFrame:
    """Loss from the highest equity so far, the start included: D_t = 100 (E_t / max E - 1).

    Per cent, at most 0; shape as `returns`, none of them NaN.
    """
    growth = cumulative_growth(returns)
    return 100.0 * (growth / growth.cummax().clip(lower=1.0) - 1.0)


def drawdown_chart(returns: pd.DataFrame, books: Sequence[BookStyle]) -> time_chart.TimeChart:
    """Drawdown under zero, the strategy's filled.

    Args:
        returns: Index timestamp, a column a book: net simple return of each bar.
        books: In the order of the legend.
    """
    whole = drawdown_pct(returns)
    table = time_chart.downsample_rows(whole)
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
        description="Loss from the highest equity reached so far; zero is a new high.",
        span=time_chart.describe_span(pd.DatetimeIndex(returns.index)),
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
                baseline=time_chart.distance_from_top(axis, 0.0),
                rescaling=time_chart.AxisRescaling(ticks=4, always=(-1.0, 0.0)),
            ),
        ),
        notes=time_chart.downsampling_note(len(whole), len(table)),
    )


def _underwater_path(line: time_chart.LineSeries | None, zero_position: float) -> str:
    if line is None or not line.path:
        return ""
    top = round(time_chart.VIEWBOX_SIZE * (1.0 - zero_position))
    return f"{line.path}V{top}H0Z"

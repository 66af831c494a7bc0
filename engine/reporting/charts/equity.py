"""Equity of every book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import log_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle


def cumulative_growth(returns: pd.DataFrame) -> pd.DataFrame:
    """Growth of 1: E_t = (1 + r_1) ... (1 + r_t); shape as `returns`, none of them NaN."""
    return (1.0 + returns).cumprod()


def equity_chart(returns: pd.DataFrame, books: Sequence[BookStyle]) -> time_chart.TimeChart:
    """Equity on a log axis, so that equal distances are equal per cent.

    Args:
        returns: Index timestamp, a column a book: net simple return of each bar.
        books: In the order of the legend.
    """
    whole = cumulative_growth(returns)
    table = time_chart.downsample_rows(whole)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    positive = values[values > 0]
    axis = log_axis(min(1.0, float(positive.min())), max(1.0, float(positive.max())))
    time = time_axis(index[0], index[-1])
    ruined = [book.label for book in books if (whole[book.key] <= 0).any()]
    notes = tuple(
        f"{label} lost all of its equity; a log axis cannot show what is left." for label in ruined
    )
    return time_chart.TimeChart(
        key="equity",
        title="Equity",
        description="Growth of 1 after all costs, on a log axis: equal heights are equal per "
        "cent.",
        span=time_chart.describe_span(pd.DatetimeIndex(returns.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label="equity, start = 1",
                height="tall",
                ticks=axis.ticks,
                number_format=formatting.GROWTH,
                lines=time_chart.book_line_series(table, books, time, axis),
                baseline=time_chart.distance_from_top(axis, 1.0),
                rescaling=time_chart.AxisRescaling(
                    log=True, always=(1.0,), baseline=1.0, rebased="equity"
                ),
            ),
        ),
        notes=notes + time_chart.downsampling_note(len(whole), len(table)),
    )

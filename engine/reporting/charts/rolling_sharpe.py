"""Rolling Sharpe ratio of every book."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import drawing
from engine.reporting.charts.axis import linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.books import Book

SHORTEST = 20


def rolling_bars(bars: int, periods_per_year: float) -> int:
    """Length of the rolling window: a year, or a quarter of a span shorter than four years."""
    return min(round(periods_per_year), max(SHORTEST, bars // 4))


def rolling_sharpe(returns: pd.DataFrame, *, window: int, periods_per_year: float) -> pd.DataFrame:
    """Mean over standard deviation (n - 1) of the last `window` returns, annualised.

    NaN in the first `window` - 1 rows and where returns did not vary; shape as `returns`.
    """
    rolling = returns.rolling(window)
    deviation = rolling.std()
    # pandas' running sums leave rounding dust where all returns are equal.
    flat = rolling.max() - rolling.min() <= 0
    ratio: pd.DataFrame = rolling.mean() / deviation.mask(flat)
    return ratio * math.sqrt(periods_per_year)


def rolling_sharpe_chart(
    returns: pd.DataFrame, books: Sequence[Book], *, periods_per_year: float
) -> drawing.Chart:
    """Rolling Sharpe ratios around zero.

    Args:
        returns: Index timestamp, a column a book: net simple return of each bar.
        books: In the order of the legend.
        periods_per_year: Bars a year.
    """
    window = rolling_bars(len(returns), periods_per_year)
    whole = rolling_sharpe(returns, window=window, periods_per_year=periods_per_year)
    table = drawing.drawn_rows(whole)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    known = np.append(values[np.isfinite(values)], 0.0)
    axis = linear_axis(float(known.min()), float(known.max()))
    time = time_axis(index[0], index[-1])
    return drawing.Chart(
        key="rolling-sharpe",
        title="Rolling Sharpe ratio",
        says=(
            f"Annualised Sharpe ratio of the last {formatting.BARS(window)}, this one included. "
            "No line: not enough bars yet, or none held."
        ),
        span=drawing.span_of(pd.DatetimeIndex(returns.index)),
        ticks=time.ticks,
        seconds=drawing.seconds_of(index),
        panels=(
            drawing.Panel(
                label="Sharpe ratio",
                height="medium",
                ticks=axis.ticks,
                unit=formatting.RATIO,
                lines=drawing.book_lines(table, books, time, axis),
                baseline=drawing.from_top(axis, 0.0),
            ),
        ),
        notes=drawing.thinning_note(len(whole), len(table)),
    )

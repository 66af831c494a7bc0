"""Equity of every book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import drawing
from engine.reporting.charts.axis import log_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.books import Book


def equity(returns: pd.DataFrame) -> pd.DataFrame:
    """Growth of 1: E_t = (1 + r_1) ... (1 + r_t); shape as `returns`, none of them NaN."""
    return (1.0 + returns).cumprod()


def equity_chart(returns: pd.DataFrame, books: Sequence[Book]) -> drawing.Chart:
    """Equity on a log axis, so that equal distances are equal per cent.

    Args:
        returns: Index timestamp, a column a book: net simple return of each bar.
        books: In the order of the legend.
    """
    whole = equity(returns)
    table = drawing.drawn_rows(whole)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    positive = values[values > 0]
    axis = log_axis(min(1.0, float(positive.min())), max(1.0, float(positive.max())))
    time = time_axis(index[0], index[-1])
    ruined = [book.label for book in books if (whole[book.key] <= 0).any()]
    notes = tuple(
        f"{label} lost all of its equity; a log axis cannot show what is left." for label in ruined
    )
    return drawing.Chart(
        key="equity",
        title="Equity",
        says="Growth of 1 after all costs, on a log axis: equal heights are equal per cent.",
        span=drawing.span_of(pd.DatetimeIndex(returns.index)),
        ticks=time.ticks,
        seconds=drawing.seconds_of(index),
        panels=(
            drawing.Panel(
                label="equity, start = 1",
                height="tall",
                ticks=axis.ticks,
                unit=formatting.GROWTH,
                lines=drawing.book_lines(table, books, time, axis),
                baseline=drawing.from_top(axis, 1.0),
                scale=drawing.Scale(log=True, always=(1.0,), baseline=1.0, rebased="equity"),
            ),
        ),
        notes=notes + drawing.thinning_note(len(whole), len(table)),
    )

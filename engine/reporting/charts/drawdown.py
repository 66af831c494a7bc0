"""Drawdown of every book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.books import STRATEGY
from engine.reporting.charts import drawing
from engine.reporting.charts.axis import linear_axis, time_axis
from engine.reporting.charts.equity import equity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.books import Book


def drawdown_pct(returns: pd.DataFrame) -> pd.DataFrame:
    """Loss from the highest equity so far, the start included: D_t = 100 (E_t / max E - 1).

    Per cent, at most 0; shape as `returns`, none of them NaN.
    """
    growth = equity(returns)
    return 100.0 * (growth / growth.cummax().clip(lower=1.0) - 1.0)


def drawdown_chart(returns: pd.DataFrame, books: Sequence[Book]) -> drawing.Chart:
    """Drawdown under zero, the strategy's filled.

    Args:
        returns: Index timestamp, a column a book: net simple return of each bar.
        books: In the order of the legend.
    """
    whole = drawdown_pct(returns)
    table = drawing.drawn_rows(whole)
    index = pd.DatetimeIndex(table.index)
    axis = linear_axis(min(-1.0, float(np.nanmin(table.to_numpy()))), 0.0, ticks=4)
    time = time_axis(index[0], index[-1])
    lines = drawing.book_lines(table, books, time, axis)
    strategy = next((line for line in lines if line.key == STRATEGY), None)
    areas = (
        drawing.Area(
            "underwater", _under(strategy, axis.place(np.zeros(1))[0]), STRATEGY, "under"
        ),
    )
    return drawing.Chart(
        key="drawdown",
        title="Drawdown",
        says="Loss from the highest equity reached so far; zero is a new high.",
        span=drawing.span_of(pd.DatetimeIndex(returns.index)),
        ticks=time.ticks,
        seconds=drawing.seconds_of(index),
        panels=(
            drawing.Panel(
                label="per cent below the peak",
                height="medium",
                ticks=axis.ticks,
                unit=formatting.PERCENT,
                lines=lines,
                areas=areas if strategy else (),
                baseline=drawing.from_top(axis, 0.0),
                scale=drawing.Scale(ticks=4, always=(-1.0, 0.0)),
            ),
        ),
        notes=drawing.thinning_note(len(whole), len(table)),
    )


def _under(line: drawing.Line | None, zero: float) -> str:
    if line is None or not line.path:
        return ""
    top = round(drawing.EXTENT * (1.0 - zero))
    return f"{line.path}V{top}H0Z"

"""Figures of the last bars at each bar, as lines over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting.charts import drawing
from engine.reporting.charts.axis import linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.books import Book
    from engine.reporting.formatting import Unit


@dataclass(frozen=True)
class Rolled:
    """What is drawn.

    Attributes:
        key: Id of the chart.
        title: A noun.
        finding: What its figures say.
        says: What it shows.
        label: Of the vertical axis.
        unit: Of its figures.
        reference: Value of the reference line, always within the axis.
    """

    key: str
    title: str
    finding: str
    says: str
    label: str
    unit: Unit
    reference: float


def rolling_chart(whole: pd.DataFrame, books: Sequence[Book], what: Rolled) -> drawing.Chart:
    """A line a book around the reference.

    Args:
        whole: Index timestamp, a column a book; NaN where there is no figure.
        books: Those to draw, in the order of the legend.
        what: What the figures are.
    """
    table = drawing.drawn_rows(whole)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    known = np.append(values[np.isfinite(values)], what.reference)
    axis = linear_axis(float(known.min()), float(known.max()))
    time = time_axis(index[0], index[-1])
    return drawing.Chart(
        key=what.key,
        title=what.title,
        finding=what.finding,
        says=what.says,
        span=drawing.span_of(pd.DatetimeIndex(whole.index)),
        ticks=time.ticks,
        seconds=drawing.seconds_of(index),
        panels=(
            drawing.Panel(
                label=what.label,
                height="medium",
                ticks=axis.ticks,
                unit=what.unit,
                lines=drawing.book_lines(table, books, time, axis),
                baseline=drawing.from_top(axis, what.reference),
                scale=drawing.Scale(always=(what.reference,), baseline=what.reference),
            ),
        ),
        notes=drawing.thinning_note(len(whole), len(table)),
    )

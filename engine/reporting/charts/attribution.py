"""Where growth came from, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts import marks
from engine.reporting.charts.axis import linear_axis, names_axis
from engine.reporting.charts.marks import Frame, Scale, Style
from engine.reporting.charts.plot import Plot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.books import Book
    from engine.types import Vector

BAR = 0.36
"""Half the width of a bar; of two beside each other, the width."""

UNIT = formatting.SIGNED_PERCENT
ZERO = Style("zero", "", "zero")


def sources_plot(parts: Mapping[str, float], *, finding: str, says: str, span: str) -> Plot:
    """What was earned and what it cost, and the sum.

    Args:
        parts: Name -> log return, the last one the sum of the others.
        finding: What the figures say.
        says: What the parts are.
        span: Over which bars.
    """
    values = 100.0 * np.array(list(parts.values()))
    places = np.arange(len(parts), dtype=np.float64)
    frame = _frame("part of the whole", list(parts), values)
    last = places == places[-1]
    layers = [
        marks.bars(
            frame,
            Style(key, label, css),
            (places[kept] - BAR, places[kept] + BAR),
            values[kept],
            [name for name, here in zip(parts, kept.tolist(), strict=True) if here],
        )
        for key, label, css, kept in (
            ("gains", "Earned", "up-side", ~last & (values >= 0)),
            ("losses", "Lost or paid", "down-side", ~last & (values < 0)),
            ("sum", "Sum of all", "plain-side", last),
        )
        if kept.any()
    ]
    return Plot(
        key="sources",
        title="What was earned and what it cost",
        finding=finding,
        says=says,
        span=span,
        frame=frame,
        layers=(*reversed(layers), marks.across_at(frame, ZERO, 0.0)),
    )


def beside_plot(
    key: str,
    heads: tuple[str, str],
    columns: Sequence[tuple[Book, Sequence[float]]],
    names: Sequence[str],
    *,
    finding: str,
    says: str,
    span: str,
) -> Plot:
    """Log returns of one or two books in each group of bars, beside each other.

    Args:
        key: Id of the plot.
        heads: Its title, and what the groups are.
        columns: Book and its log return in each group.
        names: Of the groups.
        finding: What the figures say.
        says: What the groups are.
        span: Over which bars.
    """
    places = np.arange(len(names), dtype=np.float64)
    values = [100.0 * np.array(figures, dtype=np.float64) for _, figures in columns]
    frame = _frame(heads[1], names, np.concatenate(values))
    width = 2 * BAR / len(columns)
    layers = [
        marks.bars(
            frame,
            Style(book.key, book.label, book.hue),
            (places - BAR + number * width, places - BAR + (number + 1) * width),
            values[number],
            list(names),
        )
        for number, (book, _) in enumerate(columns)
    ]
    return Plot(
        key=key,
        title=heads[0],
        finding=finding,
        says=says,
        span=span,
        frame=frame,
        layers=(*reversed(layers), marks.across_at(frame, ZERO, 0.0)),
    )


def _frame(label: str, names: Sequence[str], values: Vector) -> Frame:
    known = np.append(values[np.isfinite(values)], 0.0)
    low, high = float(known.min()), float(known.max())
    if low == high:
        low, high = -1.0, 1.0
    return Frame(
        Scale(label, names_axis(names), None),
        Scale("log return, per cent", linear_axis(low, high), UNIT),
    )

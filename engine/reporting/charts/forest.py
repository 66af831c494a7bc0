"""Estimates with their intervals, one under the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import AxisTick, linear_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle


class IntervalEstimate(Protocol):
    """An estimate with its interval; each is None where it is not defined."""

    @property
    def estimate(self) -> float | None:
        """The estimate."""

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""


@dataclass(frozen=True)
class ForestRow:
    """One estimate; positions are per cent from the left, None where a figure does not exist.

    Attributes:
        label: What is estimated.
        css: Class of its colour.
        estimate: The estimate.
        low: Lower end of the interval.
        width: Of the interval.
    """

    label: str
    css: str
    estimate: float | None
    low: float | None
    width: float | None


@dataclass(frozen=True)
class ForestPlot:
    """All estimates on one axis; `zero_position` is the position of 0."""

    rows: tuple[ForestRow, ...]
    ticks: tuple[AxisTick, ...]
    zero_position: float


def make_forest_plot(estimates: Sequence[tuple[BookStyle, IntervalEstimate]]) -> ForestPlot:
    """Estimates on an axis that contains all intervals and zero.

    Args:
        estimates: Each book with its estimate.
    """
    values = [
        value
        for _, figures in estimates
        for value in (figures.low, figures.estimate, figures.high)
    ]
    known = [
        0.0,
        *(value for value in values if value is not None and formatting.is_finite(value)),
    ]
    axis = linear_axis(min(known), max(known), ticks=6)

    def position(value: float | None) -> float | None:
        if value is None or not formatting.is_finite(value):
            return None
        return round(100 * float(axis.to_fraction(np.array([value]))[0]), 3)

    rows = []
    for book, figures in estimates:
        low, estimate, high = map(position, (figures.low, figures.estimate, figures.high))
        width = round(high - low, 3) if low is not None and high is not None else None
        rows.append(ForestRow(book.label, book.hue, estimate, low, width))
    return ForestPlot(tuple(rows), axis.ticks, position(0.0) or 0.0)

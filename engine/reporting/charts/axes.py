"""Axes: the position of a value between the two ends of a chart, and the labelled values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import Matrix, Vector


@dataclass(frozen=True)
class AxisTick:
    """A labelled position.

    Attributes:
        position: Per cent of the length of the axis.
        label: Its text.
    """

    position: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis of numbers.

    Attributes:
        low: Value at the lower end.
        high: Value at the upper end; above `low`.
        log: Whether equal distances are equal ratios.
        ticks: Labelled positions, ascending.
    """

    low: float
    high: float
    log: bool
    ticks: tuple[AxisTick, ...]

    def to_fraction(self, values: Vector) -> Vector:
        """Fractions of the axis, shape as `values`; NaN for values a log axis cannot show."""
        return _to_fraction(values, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class TimeAxis:
    """An axis of time.

    Attributes:
        first: Time at the left end.
        last: Time at the right end.
        ticks: Labelled positions, ascending.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    ticks: tuple[AxisTick, ...]

    def to_fraction(self, timestamps: pd.DatetimeIndex) -> Vector:
        """Fractions of the axis, shape (n,)."""
        length = max((self.last - self.first).total_seconds(), 1.0)
        return np.asarray((timestamps - self.first).total_seconds(), dtype=np.float64) / length


def linear_axis(low: float, high: float, *, ticks: int = 5) -> Axis:
    """An axis over [low, high] with a margin of 4 %; ticks 1, 2, 2.5 or 5 times 10^k apart."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    margin = 0.04 * (high - low)
    low, high = low - margin, high + margin
    values = _nice_tick_values(low, high, ticks)
    return Axis(low, high, False, _make_ticks(values, low, high, log=False))


def log_axis(
    low: float, high: float, label: Callable[[float], str] = formatting.tick_label
) -> Axis:
    """A logarithmic axis over positive [low, high] with a margin of 4 %.

    Ticks are at 1, 2 and 5 times the powers of ten; over many decades at the powers alone; at
    round numbers where fewer than three of these fit.
    """
    if low == high:
        low, high = low / 1.1, high * 1.1
    margin = (high / low) ** 0.04
    low, high = low / margin, high * margin
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    leading = (1.0, 2.0, 5.0) if len(decades) < 5 else (1.0,)
    candidates = np.array([digit * 10.0**power for power in decades for digit in leading])
    values = candidates[(candidates >= low) & (candidates <= high)]
    if len(values) < 3:
        values = _nice_tick_values(low, high, 5)
    return Axis(low, high, True, _make_ticks(values, low, high, log=True, label=label))


def growth_axis(growth: Matrix) -> Axis:
    """A logarithmic axis over growth of 1 and its start; values of 0 and NaN are left out."""
    positive = growth[growth > 0]
    return log_axis(min(1.0, float(positive.min())), max(1.0, float(positive.max())))


MAX_CATEGORY_LABELS = 9
"""Labels that fit on an axis of names."""


def categorical_axis(names: Sequence[str]) -> Axis:
    """An axis of `names` at 0, 1, 2 ...; of more than fit, evenly spaced ones are labelled."""
    count = max(1, len(names))
    step = -(-count // MAX_CATEGORY_LABELS)
    ticks = tuple(
        AxisTick(round(100 * (index + 0.5) / count, 3), names[index])
        for index in range(0, len(names), step)
    )
    return Axis(-0.5, count - 0.5, False, ticks)


TIME_STEPS = (
    ("min", 1), ("min", 5), ("min", 15),
    ("h", 1), ("h", 3), ("h", 6), ("D", 1), ("D", 2), ("D", 7), ("D", 14), ("MS", 1), ("MS", 3),
    ("MS", 6), ("YS", 1), ("YS", 2), ("YS", 5), ("YS", 10), ("YS", 20),
)  # fmt: skip
TIME_UNIT_DAYS = {"min": 1 / 1_440, "h": 1 / 24, "D": 1.0, "MS": 30.44, "YS": 365.25}
TIME_UNIT_FORMATS = {"min": "%H:%M", "h": "%d %b %H:%M", "D": "%d %b", "MS": "%b %Y", "YS": "%Y"}


def time_axis(first: pd.Timestamp, last: pd.Timestamp, *, ticks: int = 9) -> TimeAxis:
    """An axis from `first` to `last`, with at most `ticks` labels at round calendar times."""
    days = (last - first).total_seconds() / 86_400
    unit, count = next(
        (step for step in TIME_STEPS if days / (TIME_UNIT_DAYS[step[0]] * step[1]) <= ticks),
        TIME_STEPS[-1],
    )
    starts = pd.date_range(first.normalize(), last, freq=f"{count}{unit}")
    starts = starts[starts >= first]
    labels = starts.strftime(TIME_UNIT_FORMATS[unit])
    positions = map(_to_percent, TimeAxis(first, last, ()).to_fraction(starts))
    return TimeAxis(first, last, tuple(map(AxisTick, positions, labels)))


def _nice_tick_values(low: float, high: float, count: int) -> Vector:
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    numbers = np.arange(math.ceil(low / step), math.floor(high / step) + 1)
    return numbers.astype(np.float64) * step


def _make_ticks(
    values: Vector,
    low: float,
    high: float,
    *,
    log: bool,
    label: Callable[[float], str] = formatting.tick_label,
) -> tuple[AxisTick, ...]:
    fractions = _to_fraction(values, low, high, log=log)
    return tuple(
        AxisTick(_to_percent(fraction), label(float(value)))
        for fraction, value in zip(fractions, values, strict=True)
    )


def _to_fraction(values: Vector, low: float, high: float, *, log: bool) -> Vector:
    values = np.asarray(values, dtype=np.float64)
    if not log:
        return (values - low) / (high - low)
    logs = np.full(values.shape, np.nan)
    np.log(values, out=logs, where=values > 0)
    return (logs - math.log(low)) / (math.log(high) - math.log(low))


def _to_percent(fraction: float) -> float:
    return round(100.0 * float(fraction), 3)

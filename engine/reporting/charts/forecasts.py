"""Forecasts against what came: one by one, by size, by month, by the market's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import marks
from engine.reporting.charts.axis import Axis, linear_axis, names_axis
from engine.reporting.charts.marks import Frame, Scale, Style
from engine.reporting.charts.plot import Plot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.evaluation.calibration import Group
    from engine.evaluation.direction import Direction
    from engine.evaluation.rank_ic import RankIc
    from engine.evaluation.regression import Line
    from engine.types import Vector

DOTS = 1500
"""Forecasts drawn at most."""

BPS = 10_000.0
BAR = 0.38
"""Half the width of a bar on an axis of names."""

PERFECT = Style("perfect", "Perfect forecast", "reference")
ZERO = Style("zero", "", "zero")


def scatter(made: pd.DataFrame, line: Line | None, *, finding: str, span: str) -> Plot:
    """Every forecast against its outcome, with the least-squares line.

    Args:
        made: As `forecast.mean_forecasts` gives it, at least a row.
        line: Outcome on forecast, fractions; None where there is none.
        finding: What the figures say.
        span: Over which bars.
    """
    predicted, actual = (BPS * made[name].to_numpy() for name in ("predicted", "actual"))
    frame = Frame(
        Scale("forecast, bps", _axis(predicted), formatting.SIGNED_BPS),
        Scale("outcome, bps", _axis(np.append(actual, 0.0)), formatting.SIGNED_BPS),
    )
    rows = np.arange(len(made))
    if len(made) > DOTS:
        rows = np.unique(np.linspace(0, len(made) - 1, DOTS).astype(int))
    layers = [
        marks.across_at(frame, ZERO, 0.0),
        marks.dots(
            frame,
            Style("forecasts", "Forecasts", "hue-0 small"),
            predicted[rows],
            actual[rows],
            _names(made.iloc[rows]),
        ),
        marks.identity(frame, PERFECT),
    ]
    if line is not None:
        ends = np.array([predicted.min(), predicted.max()])
        style = Style("fit", "Fitted line", "hue-2 strong")
        layers.append(marks.line(frame, style, ends, BPS * line.intercept + line.slope * ends))
    return Plot(
        key="scatter",
        title="Predicted against realised",
        finding=finding,
        says="A dot a forecast, mean over the seeds, and what came of it.",
        span=span,
        frame=frame,
        layers=tuple(layers),
        shape="square",
        notes=_thinned(len(rows), len(made)),
    )


def calibration_plot(groups: Sequence[Group], *, finding: str, says: str, span: str) -> Plot:
    """Mean outcome of each group of forecasts, with its interval, against the forecast.

    Args:
        groups: At least one.
        finding: What the figures say.
        says: How large groups are and what the intervals are.
        span: Over which bars.
    """
    x = BPS * np.array([group.predicted for group in groups])
    y = BPS * np.array([group.actual for group in groups])
    low = BPS * _floats([group.actual_low for group in groups])
    high = BPS * _floats([group.actual_high for group in groups])
    reach = np.concatenate((y, low, high, np.zeros(1)))
    frame = Frame(
        Scale("mean forecast, bps", _axis(x), formatting.SIGNED_BPS),
        Scale("mean outcome, bps", _axis(reach), formatting.SIGNED_BPS),
    )
    names = [
        f"Group {group.number} of forecasts, {formatting.count_of(group.rows, 'forecast')}"
        for group in groups
    ]
    return Plot(
        key="calibration",
        title="Calibration",
        finding=finding,
        says=says,
        span=span,
        frame=frame,
        layers=(
            marks.across_at(frame, ZERO, 0.0),
            marks.identity(frame, PERFECT),
            marks.whiskers(frame, Style("groups", "Outcomes", "hue-0"), x, y, (low, high), names),
        ),
        shape="square",
    )


def rank_ic_plot(found: RankIc, *, finding: str, span: str, notes: tuple[str, ...]) -> Plot:
    """Each period's part in the rank correlation as a bar, the whole as a line.

    Args:
        found: At least one period.
        finding: What the figures say.
        span: Over which bars.
        notes: On how to read it.
    """
    values = np.array(found.values)
    places = np.arange(len(values), dtype=np.float64)
    frame = Frame(
        Scale(found.period, names_axis(found.names), None),
        Scale(
            "mean product of ranks",
            linear_axis(min(-0.2, float(values.min())), max(0.2, float(values.max()))),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [
        f"{name}, {formatting.count_of(rows, 'forecast')}"
        for name, rows in zip(found.names, found.rows, strict=True)
    ]
    layers = [
        marks.bars(
            frame, Style("ic", "One " + found.period, "hue-0"), _sides(places), values, names
        ),
        marks.across_at(frame, ZERO, 0.0),
    ]
    if found.whole is not None and len(values) > 1:
        layers.append(
            marks.across_at(frame, Style("whole", "Whole span", "reference"), found.whole)
        )
    return Plot(
        key="rank-ic",
        title=f"Rank correlation by {found.period}",
        finding=finding,
        says="Spearman's rank correlation of forecasts and outcomes (information coefficient), "
        f"cut into {found.period}s: the mean product of their standardised ranks. Above 0, high "
        "forecasts came with high outcomes; weighted by bars the parts add up to the whole.",
        span=span,
        frame=frame,
        layers=tuple(layers),
        notes=notes,
    )


def direction_plot(
    found: Mapping[str, Direction], *, finding: str, says: str, span: str, notes: tuple[str, ...]
) -> Plot:
    """Hit rate of each state with its interval, beside that of always saying up.

    Args:
        found: State -> its figures, at least one, in the order drawn.
        finding: What the figures say.
        says: What the states are.
        span: Over which bars.
        notes: What else.
    """
    states = list(found)
    figures = list(found.values())
    places = np.arange(len(states), dtype=np.float64)
    hits, low, high, up = (
        100.0 * np.array([getattr(each, name) for each in figures])
        for name in ("hits", "low", "high", "up")
    )
    together = np.concatenate((low, high, up, [50.0]))
    frame = Frame(
        Scale("state of the market at the decision", names_axis(states), None),
        Scale(
            "right, per cent",
            linear_axis(float(together.min()), float(together.max())),
            formatting.PERCENT,
        ),
    )
    names = [
        f"{state}, {formatting.count_of(each.rows, 'forecast')}" for state, each in found.items()
    ]
    return Plot(
        key="direction",
        title="Direction by state of the market",
        finding=finding,
        says=says,
        span=span,
        frame=frame,
        layers=(
            marks.across_at(frame, Style("coin", "A coin", "reference"), 50.0),
            marks.dots(frame, Style("up", "Always up", "hue-1 large"), places + 0.12, up, names),
            marks.whiskers(
                frame, Style("hits", "Forecasts", "hue-0"), places - 0.12, hits, (low, high), names
            ),
        ),
        notes=notes,
    )


def _axis(values: Vector) -> Axis:
    known = values[np.isfinite(values)]
    return linear_axis(float(known.min()), float(known.max()))


def _names(made: pd.DataFrame) -> list[str]:
    stamps = pd.DatetimeIndex(made["timestamp"])
    alone = made["symbol"].nunique() == 1
    return [
        formatting.moment(stamp) if alone else f"{symbol}, {formatting.moment(stamp)}"
        for stamp, symbol in zip(stamps, made["symbol"], strict=True)
    ]


def _sides(places: Vector) -> tuple[Vector, Vector]:
    return places - BAR, places + BAR


def _floats(values: Sequence[float | None]) -> Vector:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _thinned(drawn: int, rows: int) -> tuple[str, ...]:
    if drawn == rows:
        return ()
    return (
        f"Drawn: {formatting.COUNT(drawn)} of {formatting.count_of(rows, 'forecast')}, evenly "
        "spaced in time; the line is fitted to all of them.",
    )

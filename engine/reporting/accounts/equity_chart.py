"""Equity of a paper account against the cone of its backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import BookStyle
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import growth_axis, time_axis

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.reporting.accounts.figures import AccountDetail
    from engine.reporting.charts.axes import Axis

ACCOUNT = BookStyle("account", "Account", "", "hue-0", "")
MEDIAN = BookStyle("median", "Backtest, median", "", "hue-1", "dash-2")
EDGES = (
    BookStyle("low", "Backtest, 5 %", "", "hue-1", "edge"),
    BookStyle("high", "Backtest, 95 %", "", "hue-1", "edge"),
)

POSITIONS = {
    "inside": "The account lies inside of the cone.",
    "above": "The account lies above the cone: fewer than 5 % of resampled paths do.",
    "below": "The account lies below the cone: fewer than 5 % of resampled paths do.",
    "after": "The account is older than the cone, which ends at twice the length of the run.",
}


def account_chart(detail: AccountDetail) -> time_chart.TimeChart | None:
    """The chart; None before there are two bars to draw."""
    if len(detail.growth) < 2:
        return None
    table = time_chart.downsample_rows(detail.growth)
    index = pd.DatetimeIndex(table.index)
    axis = growth_axis(table.to_numpy(dtype=np.float64))
    time = time_axis(index[0], index[-1])
    drawn = (ACCOUNT, MEDIAN, *EDGES) if detail.cone else (ACCOUNT,)
    lines = time_chart.book_line_series(table, drawn, time, axis)
    account = detail.growth["account"].dropna()
    return time_chart.TimeChart(
        key="equity",
        title="Equity",
        description=_description(detail),
        span=time_chart.describe_span(pd.DatetimeIndex(account.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label="equity, start = 1",
                height="tall",
                ticks=axis.ticks,
                number_format=formatting.FINE_GROWTH,
                lines=lines,
                areas=_cone_area(table, time.to_fraction(index), axis) if detail.cone else (),
                baseline=svg_paths.distance_from_top(axis, 1.0),
                rescaling=time_chart.AxisRescaling(log=True, always=(1.0,), baseline=1.0),
            ),
        ),
        notes=time_chart.downsampling_note(len(detail.growth), len(table)),
        finding=POSITIONS[detail.cone.position] if detail.cone else "",
    )


def chart_legend(detail: AccountDetail) -> tuple[BookStyle, ...]:
    """The lines that can be switched off."""
    return (ACCOUNT, MEDIAN) if detail.cone else ()


def _description(detail: AccountDetail) -> str:
    text = "Growth of 1 after all costs since the account was started, on a log axis."
    if detail.cone is None:
        return f"{text} {detail.cone_missing}"
    return (
        f"{text} The band is the backtest's: at each bar it holds 90 % of "
        f"{formatting.COUNT(detail.cone.resamples)} equities made of the "
        f"{formatting.BARS(detail.cone.run_bars)} of the run, drawn in blocks of "
        f"{formatting.AVERAGE_BARS(detail.cone.block_length_bars)} on average (stationary "
        "bootstrap)."
    )


def _cone_area(table: pd.DataFrame, across: Vector, axis: Axis) -> tuple[time_chart.Area, ...]:
    low, high = (
        axis.to_fraction(table[key].to_numpy(dtype=np.float64)) for key in ("low", "high")
    )
    path = svg_paths.between_path(across, low, high)
    return (time_chart.Area("cone", path, "low", "between", "high"),)

"""What the books were like lately, bar by bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.metrics.rolling import (
    rolling_beta,
    rolling_sharpe,
    rolling_turnover,
    rolling_volatility,
    rolling_window_length,
)
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, BookStyle, get_book_styles
from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import linear_axis, time_axis
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.charts.time_chart import TimeChart
    from engine.reporting.formatting import NumberFormat
    from engine.runs.run import Run

NO_LINE_NOTE = "No line: not enough bars yet"


@dataclass(frozen=True)
class RollingMetric:
    """What is drawn.

    Attributes:
        key: Id of the chart.
        title: A noun.
        finding: What its figures say.
        description: What it shows.
        axis_label: Of the vertical axis.
        number_format: Of its figures.
        reference_value: Value of the reference line, always within the axis.
    """

    key: str
    title: str
    finding: str
    description: str
    axis_label: str
    number_format: NumberFormat
    reference_value: float


def rolling_section(run: Run) -> TearsheetSection:
    """Figures of the last bars at each bar, over one length of window."""
    books = get_book_styles(run)
    periods = run.metrics["span"]["periods_per_year"]
    window = rolling_window_length(len(run.returns), periods)
    charts: list[tuple[TimeChart, tuple[BookStyle, ...]]] = [
        (_sharpe_chart(run, books, window, periods), books),
        (_volatility_chart(run, books, window, periods), books),
    ]
    if BUY_AND_HOLD in run.returns:
        charts.append((_beta_chart(run, window), ()))
    if "equity" in run.trades:
        charts.append((_turnover_chart(run, window, periods), ()))
    return TearsheetSection("rolling", "Rolling figures", {"charts": charts})


def _sharpe_chart(
    run: Run, books: tuple[BookStyle, ...], window: int, periods_per_year: float
) -> TimeChart:
    table = rolling_sharpe(run.returns, window=window, periods_per_year=periods_per_year)
    mine = table[STRATEGY].dropna()
    finding = (
        f"The strategy's was above zero at {formatting.PERCENT(100 * float((mine > 0).mean()))} "
        f"of the bars that have one. It went from {_range_text(mine, formatting.SIGNED_RATIO)}."
        if len(mine)
        else "The strategy has none: too few bars, or it never held anything."
    )
    return _rolling_chart(
        table,
        books,
        RollingMetric(
            key="rolling-sharpe",
            title="Rolling Sharpe ratio",
            finding=finding,
            description=f"Annualised Sharpe ratio of {_window_text(window)}. {NO_LINE_NOTE}, or "
            f"none held.",
            axis_label="Sharpe ratio",
            number_format=formatting.RATIO,
            reference_value=0.0,
        ),
    )


def _volatility_chart(
    run: Run, books: tuple[BookStyle, ...], window: int, periods_per_year: float
) -> TimeChart:
    table = 100.0 * rolling_volatility(
        run.returns, window=window, periods_per_year=periods_per_year
    )
    mine = table[STRATEGY].dropna()
    finding = (
        f"The strategy's went from {_range_text(mine, formatting.PERCENT)}."
        if len(mine)
        else "Too few bars to have one."
    )
    if BUY_AND_HOLD in table and len(mine):
        theirs = float(table[BUY_AND_HOLD].iloc[-1])
        finding = f"{finding[:-1]}, when holding's was {formatting.PERCENT(theirs)}."
    return _rolling_chart(
        table,
        books,
        RollingMetric(
            key="rolling-volatility",
            title="Rolling volatility",
            finding=finding,
            description=f"Annualised standard deviation of the returns of "
            f"{_window_text(window)}. {NO_LINE_NOTE}.",
            axis_label="per cent a year",
            number_format=formatting.PERCENT,
            reference_value=0.0,
        ),
    )


def _beta_chart(run: Run, window: int) -> TimeChart:
    mine, held = run.returns[STRATEGY], run.returns[BUY_AND_HOLD]
    beta = rolling_beta(mine, held, window=window)
    whole = float(rolling_beta(mine, held, window=len(mine)).iloc[-1])
    return _rolling_chart(
        beta.to_frame(STRATEGY),
        (_strategy_style(run),),
        RollingMetric(
            key="rolling-beta",
            title="Rolling beta against holding",
            finding=(
                f"Over the whole span the strategy moved {formatting.RATIO(whole)} per cent with "
                f"each per cent of holding. Its beta of {formatting.BARS(window)} went from "
                f"{_range_text(beta.dropna(), formatting.RATIO)}."
            ),
            description=(
                "Slope of the strategy's returns on those of buy and hold over "
                f"{_window_text(window)}: 0 moves on its own, 1 as holding does. {NO_LINE_NOTE}."
            ),
            axis_label="beta",
            number_format=formatting.RATIO,
            reference_value=0.0,
        ),
    )


def _turnover_chart(run: Run, window: int, periods_per_year: float) -> TimeChart:
    fills = run.trades[run.trades["book"] == STRATEGY]
    index = pd.DatetimeIndex(run.returns.index)
    traded = rolling_turnover(fills, index, window=window, periods_per_year=periods_per_year)
    whole = run.metrics["books"][STRATEGY].get("turnover_per_year")
    return _rolling_chart(
        traded.to_frame(STRATEGY),
        (_strategy_style(run),),
        RollingMetric(
            key="rolling-turnover",
            title="Rolling turnover",
            finding=(
                f"Over the whole span the strategy traded {formatting.RATIO(whole)} times its "
                f"equity a year. Over {formatting.BARS(window)} it went from "
                f"{_range_text(traded.dropna(), formatting.RATIO)}."
            ),
            description=(
                f"Value the strategy traded in {_window_text(window)}, as multiples of its "
                f"equity a "
                f"year; in and out again once a year is 2. {NO_LINE_NOTE}."
            ),
            axis_label="times a year",
            number_format=formatting.TIMES_PER_YEAR,
            reference_value=0.0,
        ),
    )


def _window_text(window: int) -> str:
    return f"the last {formatting.BARS(window)}, this one included"


def _range_text(values: pd.Series[float], number_format: NumberFormat) -> str:
    """Lowest to highest and the last one."""
    known = values.to_numpy(dtype=np.float64)
    if not len(known):
        return formatting.MISSING
    spread = number_format.interval(float(known.min()), float(known.max()))
    return f"{spread}, and was {number_format(float(known[-1]))} at the end"


def _strategy_style(run: Run) -> BookStyle:
    return next(book for book in get_book_styles(run) if book.key == STRATEGY)


def _rolling_chart(
    metric_values: pd.DataFrame, books: Sequence[BookStyle], metric: RollingMetric
) -> time_chart.TimeChart:
    """A line a book around the reference.

    Args:
        metric_values: Index timestamp, a column a book; NaN where there is no figure.
        books: Those to draw, in the order of the legend.
        metric: What the figures are.
    """
    table = time_chart.downsample_rows(metric_values)
    index = pd.DatetimeIndex(table.index)
    values = table.to_numpy(dtype=np.float64)
    known = np.append(values[np.isfinite(values)], metric.reference_value)
    axis = linear_axis(float(known.min()), float(known.max()))
    time = time_axis(index[0], index[-1])
    return time_chart.TimeChart(
        key=metric.key,
        title=metric.title,
        finding=metric.finding,
        description=metric.description,
        span=time_chart.describe_span(pd.DatetimeIndex(metric_values.index)),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label=metric.axis_label,
                height="medium",
                ticks=axis.ticks,
                number_format=metric.number_format,
                lines=time_chart.book_line_series(table, books, time, axis),
                baseline=time_chart.distance_from_top(axis, metric.reference_value),
                rescaling=time_chart.AxisRescaling(
                    always=(metric.reference_value,), baseline=metric.reference_value
                ),
            ),
        ),
        notes=time_chart.downsampling_note(len(metric_values), len(table)),
    )

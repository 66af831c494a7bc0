"""Rolling metrics: Sharpe ratio, volatility, beta and turnover over the last bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, book_style, get_book_styles
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import linear_axis, time_axis
from engine.reporting.tearsheet._equity import TimeCharts, series_by_book
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle
    from engine.reporting.formatting import NumberFormat
    from engine.runs.documents.analysis_returns import RollingFigures, SeriesRange
    from engine.runs.documents.rates import AnnualRate
    from engine.runs.run import Run

NO_LINE_NOTE = "No line where there are too few bars"


@dataclass(frozen=True)
class RollingMetric:
    """A rolling metric and its chart.

    Attributes:
        column: Of `series.parquet`.
        key: Id of the chart.
        title: A noun.
        finding: What its figures show, in one sentence.
        description: What it shows.
        axis_label: Label of the vertical axis.
        number_format: Format of its figures.
    """

    column: str
    key: str
    title: str
    finding: str
    description: str
    axis_label: str
    number_format: NumberFormat


def rolling_section(run: Run) -> TearsheetSection:
    """Rolling metrics, all over windows of the same length."""
    rolling = run.analysis.rolling
    books, strategy = get_book_styles(run), (book_style(STRATEGY),)
    charts = [
        (_rolling_chart(run, books, _sharpe(rolling, run.analysis.risk_free_rate)), books),
        (_rolling_chart(run, books, _volatility(rolling)), books),
    ]
    if run.analysis.benchmark is not None:
        charts.append((_rolling_chart(run, strategy, _beta(rolling)), ()))
    if "equity" in run.trades:
        turnover = run.metrics.books[STRATEGY].turnover_per_year
        charts.append((_rolling_chart(run, strategy, _turnover(rolling, turnover)), ()))
    return TearsheetSection("rolling", "Rolling metrics", TimeCharts(tuple(charts)))


def _sharpe(rolling: RollingFigures, risk_free: AnnualRate) -> RollingMetric:
    finding = "The strategy has none: too few bars, or it never held a position."
    if rolling.sharpe is not None:
        share = formatting.PERCENT(100 * rolling.sharpe.positive_share)
        finding = (
            f"The strategy's was above zero at {share} of the bars that have one. "
            f"{_range_sentence('It', rolling.sharpe, formatting.SIGNED_RATIO)}"
        )
    return RollingMetric(
        column="rolling_sharpe",
        key="rolling-sharpe",
        title="Rolling Sharpe ratio",
        finding=finding,
        description=f"Annualised Sharpe ratio ({risk_free.as_risk_free}) of "
        f"{_window_text(rolling)}. {NO_LINE_NOTE}, or no position.",
        axis_label="Sharpe ratio",
        number_format=formatting.RATIO,
    )


def _volatility(rolling: RollingFigures) -> RollingMetric:
    finding = "There are too few bars."
    if rolling.volatility_pct is not None:
        finding = _range_sentence(
            "The strategy's volatility", rolling.volatility_pct, formatting.PERCENT
        )
        if rolling.benchmark_volatility_last_pct is not None:
            benchmark = formatting.PERCENT(rolling.benchmark_volatility_last_pct)
            finding += f" That of buy and hold was {benchmark} at the end."
    return RollingMetric(
        column="rolling_volatility_pct",
        key="rolling-volatility",
        title="Rolling volatility",
        finding=finding,
        description="Annualised standard deviation of the returns of "
        f"{_window_text(rolling)}. {NO_LINE_NOTE}.",
        axis_label="per cent, annualised",
        number_format=formatting.PERCENT,
    )


def _beta(rolling: RollingFigures) -> RollingMetric:
    return RollingMetric(
        column="rolling_beta",
        key="rolling-beta",
        title="Rolling beta against buy and hold",
        finding=f"The beta of the strategy over the whole span is "
        f"{formatting.RATIO(rolling.beta_whole_span)}. "
        f"{_range_sentence('The rolling beta', rolling.beta, formatting.RATIO)}",
        description="Slope of the strategy's returns on those of buy and hold over "
        f"{_window_text(rolling)}: 0 is independent, 1 moves like buy and hold. {NO_LINE_NOTE}.",
        axis_label="beta",
        number_format=formatting.RATIO,
    )


def _turnover(rolling: RollingFigures, whole_span: float | None) -> RollingMetric:
    return RollingMetric(
        column="rolling_turnover_per_year",
        key="rolling-turnover",
        title="Rolling turnover",
        finding=f"Over the whole span the strategy traded {formatting.RATIO(whole_span)} times "
        "its equity a year. "
        + _range_sentence("The rolling turnover", rolling.turnover_per_year, formatting.RATIO),
        description=f"Value that the strategy traded in {_window_text(rolling)}, in multiples of "
        "its equity a year; one round trip of all equity a year is 2. "
        f"{NO_LINE_NOTE}.",
        axis_label="times a year",
        number_format=formatting.TIMES_PER_YEAR,
    )


def _window_text(rolling: RollingFigures) -> str:
    return f"the last {formatting.BARS(rolling.window_bars)}, including the current one"


def _range_sentence(subject: str, figures: SeriesRange | None, number_format: NumberFormat) -> str:
    """Lowest, highest and last value."""
    if figures is None:
        return "There are too few bars for a rolling figure."
    values = number_format.interval(figures.lowest, figures.highest)
    return f"{subject} ranged from {values} and was {number_format(figures.last)} at the end."


def _rolling_chart(
    run: Run, books: Sequence[BookStyle], metric: RollingMetric
) -> time_chart.TimeChart:
    """A line for each book, and a reference line at 0."""
    values = series_by_book(run, metric.column)[[book.key for book in books]]
    table = time_chart.downsample_rows(values)
    index = pd.DatetimeIndex(table.index)
    figures = table.to_numpy(dtype=np.float64)
    known = np.append(figures[np.isfinite(figures)], 0.0)
    axis = linear_axis(float(known.min()), float(known.max()))
    time = time_axis(index[0], index[-1])
    return time_chart.TimeChart(
        key=metric.key,
        title=metric.title,
        finding=metric.finding,
        description=metric.description,
        span=time_chart.describe_span(values.index),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=(
            time_chart.ChartPanel(
                label=metric.axis_label,
                height="medium",
                ticks=axis.ticks,
                number_format=metric.number_format,
                lines=time_chart.book_line_series(table, books, time, axis),
                baseline=svg_paths.distance_from_top(axis, 0.0),
                rescaling=time_chart.AxisRescaling(always=(0.0,), baseline=0.0),
            ),
        ),
        notes=time_chart.downsampling_note(len(values), len(table)),
    )

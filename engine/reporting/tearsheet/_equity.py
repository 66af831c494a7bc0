"""Equity, drawdown and positions over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting.book_styles import STRATEGY, BookStyle, get_book_styles
from engine.reporting.charts.equity import drawdown_chart, equity_chart
from engine.reporting.charts.positions import positions_chart
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    import pandas as pd

    from engine.reporting.charts.time_chart import TimeChart
    from engine.runs.run import Run


MOST_POSITIONS_CHARTS = 6
"""Symbols with a chart of their own: the page of a universe would not end otherwise."""


@dataclass(frozen=True)
class TimeCharts:
    """Charts over time, each with the books of its legend."""

    charts: tuple[tuple[TimeChart, tuple[BookStyle, ...]], ...]


def equity_section(run: Run) -> TearsheetSection:
    """Equity and drawdown of every book, and the strategy's positions in each symbol."""
    books = get_book_styles(run)
    charts = (
        (equity_chart(series_by_book(run, "equity"), books), books),
        (drawdown_chart(series_by_book(run, "drawdown_pct"), books), books),
        *((chart, ()) for chart in _positions_charts(run)),
    )
    return TearsheetSection("paths", "Equity", TimeCharts(charts))


def series_by_book(run: Run, column: str) -> pd.DataFrame:
    """A column of `series.parquet`: index timestamp, one column for each book."""
    table = run.series.pivot(index="timestamp", columns="book", values=column)
    return table[[str(book) for book in run.returns.columns]]


def _positions_charts(run: Run) -> list[TimeChart]:
    """A chart for each target symbol over the out-of-sample bars, of those that are held most.

    A symbol of a panel that has no bar then has none.
    """
    positions = run.positions[run.positions["book"] == STRATEGY]
    held = positions["weight"].abs().groupby(positions["symbol"]).sum()
    most = held.reindex(run.manifest.target).nlargest(MOST_POSITIONS_CHARTS).index
    highest = 1.0
    if len(run.manifest.target) > 1:
        highest = float(positions["weight"].abs().max()) or 1.0
    charts = []
    for number, symbol in enumerate(each for each in run.manifest.target if each in most):
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        weights = positions[positions["symbol"] == symbol].set_index("timestamp")["weight"]
        close = bars["close"].reindex(run.returns.index)
        if close.isna().all():
            continue
        charts.append(
            positions_chart(
                f"positions-{number}",
                symbol,
                close,
                weights.reindex(close.index),
                highest=highest,
            )
        )
    return charts

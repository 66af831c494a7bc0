"""Equity, drawdown and positions, on one axis of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.book_styles import STRATEGY, BookStyle, get_book_styles
from engine.reporting.charts.equity import drawdown_chart, equity_chart
from engine.reporting.charts.positions import positions_chart
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.reporting.charts.time_chart import TimeChart
    from engine.runs.run import Run


def equity_section(run: Run) -> TearsheetSection:
    """Each chart with the books of its legend."""
    books = get_book_styles(run)
    charts: list[tuple[TimeChart, tuple[BookStyle, ...]]] = [
        (equity_chart(run.returns, books), books),
        (drawdown_chart(run.returns, books), books),
        *((chart, ()) for chart in _positions_charts(run)),
    ]
    return TearsheetSection("paths", "Equity", {"charts": charts})


def _positions_charts(run: Run) -> list[TimeChart]:
    """A chart a target symbol, over the out-of-sample bars."""
    mine = run.positions[run.positions["book"] == STRATEGY]
    charts = []
    for number, symbol in enumerate(run.manifest["target"]):
        bars = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")
        weights = mine[mine["symbol"] == symbol].set_index("timestamp")["weight"]
        close = bars["close"].reindex(run.returns.index)
        charts.append(
            positions_chart(f"positions-{number}", symbol, close, weights.reindex(close.index))
        )
    return charts

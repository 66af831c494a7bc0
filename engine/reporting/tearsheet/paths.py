"""Equity, drawdown and positions, on one axis of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.books import STRATEGY, Book, books_of
from engine.reporting.charts.drawdown import drawdown_chart
from engine.reporting.charts.equity import equity_chart
from engine.reporting.charts.positions import positions_chart
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run
    from engine.reporting.charts.drawing import Chart


def paths(run: Run) -> Section:
    """Each chart with the books of its legend."""
    books = books_of(run)
    charts: list[tuple[Chart, tuple[Book, ...]]] = [
        (equity_chart(run.returns, books), books),
        (drawdown_chart(run.returns, books), books),
        *((chart, ()) for chart in _positions(run)),
    ]
    return Section("paths", "Equity", {"charts": charts})


def _positions(run: Run) -> list[Chart]:
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

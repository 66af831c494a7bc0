"""The strategy's round trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.evaluation.metrics.round_trips import (
    RoundTripSummary,
    round_trip_table,
    summarise_round_trips,
)
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.excursions import excursions_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.data_table import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from engine.runs.run import Run

MAX_ROWS = 1_000
"""Trips listed and drawn; of more those with the largest results."""

TRADE_COLUMNS = (
    *(
        DataTableColumn("Symbol", "text"),
        DataTableColumn("Side", "text"),
        DataTableColumn("In", "text"),
    ),
    *(
        DataTableColumn("Out", "text"),
        DataTableColumn("Paid in"),
        DataTableColumn("Paid out"),
        DataTableColumn("Bars"),
    ),
    *(DataTableColumn("Net return"), DataTableColumn("P&L, of equity"), DataTableColumn("Costs")),
    *(DataTableColumn("MAE"), DataTableColumn("MFE")),
)
PERCENT_FORMAT = formatting.NumberFormat(2, f"{formatting.NO_BREAK_SPACE}%")
SIGNED_PERCENT_FORMAT = formatting.NumberFormat(2, f"{formatting.NO_BREAK_SPACE}%", signed=True)


def trades_section(run: Run) -> TearsheetSection | None:
    """Round trips from the fills alone; nothing where fills lack the equity they were made at."""
    if "equity" not in run.trades:
        return None
    index = pd.DatetimeIndex(run.returns.index)
    execution = run.manifest.get("strategy", {}).get("execution", {})
    trips = round_trip_table(
        run.trades[run.trades["book"] == STRATEGY],
        run.bars,
        index,
        fill_price=execution.get("price", "open"),
    )
    shown, note = _select_largest(trips)
    found = summarise_round_trips(trips)
    span = describe_span(index)
    return TearsheetSection(
        "trades",
        "Trades",
        {
            "finding": _trades_finding(found),
            "span": span,
            "headlines": _trade_headlines(found),
            "plot": excursions_plot(shown, span=span, notes=note) if len(shown) else None,
            "notes": note,
            "listing": DataTable(
                "Round trips of the strategy",
                TRADE_COLUMNS,
                tuple(_trade_row(trip) for trip in shown.to_dict("records")),
                "Filter trades",
            ),
        },
    )


def _select_largest(trips: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """In the order of their entries: all, or those with the largest results, and a note then."""
    kept = trips
    if len(trips) > MAX_ROWS:
        kept = trips.loc[trips["pnl_pct"].abs().nlargest(MAX_ROWS).index]
    note = (
        f"Shown are the {formatting.COUNT(len(kept))} with the largest gain or loss of "
        f"{formatting.COUNT(len(trips))} round trips; the figures above are of all.",
    )
    return kept.sort_values("entry", kind="stable"), note if len(kept) < len(trips) else ()


def _trades_finding(summary: RoundTripSummary) -> str:
    if not summary.finished and not summary.open:
        return "The strategy never traded."
    if not summary.finished:
        positions = formatting.count_of(summary.open, "position")
        return f"The strategy has {positions} open still; no round trip is finished."
    trips = formatting.count_of(summary.finished, "finished round trip")
    rate = formatting.PERCENT(100.0 * (summary.win_rate or 0.0))
    if summary.payoff_ratio is None:
        return f"Of {trips} {rate} made money after costs."
    needed = formatting.PERCENT(100.0 / (1.0 + summary.payoff_ratio))
    return (
        f"Of {trips} {rate} made money after costs. The mean win was "
        f"{formatting.RATIO(summary.payoff_ratio)} times the mean loss, so that {needed} had to "
        f"win "
        "to come out even."
    )


def _trade_headlines(summary: RoundTripSummary) -> tuple[tuple[str, str, str], ...]:
    """Label, figure, and what it means."""
    rate = None if summary.win_rate is None else 100.0 * summary.win_rate
    return (
        (
            "Finished round trips",
            formatting.COUNT(summary.finished),
            f"and {formatting.COUNT(summary.open)} open",
        ),
        ("Win rate", formatting.PERCENT(rate), "made money after costs"),
        ("Payoff ratio", formatting.RATIO(summary.payoff_ratio), "mean win over mean loss"),
        ("Profit factor", formatting.RATIO(summary.profit_factor), "all won over all lost"),
        ("Average held", formatting.AVERAGE_BARS(summary.mean_bars), "closes"),
        ("Longest losing streak", formatting.COUNT(summary.losing_streak), "trips in a row"),
    )


def _trade_row(trip: Mapping[Hashable, Any]) -> tuple[DataTableCell, ...]:
    return (
        DataTableCell(trip["symbol"]),
        DataTableCell(trip["side"]),
        DataTableCell(formatting.timestamp(trip["entry"])),
        # A moment sorts as text; what is open ends later than everything.
        DataTableCell("open", "open")
        if trip["open"]
        else DataTableCell(formatting.timestamp(trip["exit"])),
        *(_price_cell(trip[name]) for name in ("entry_price", "exit_price")),
        number_cell(formatting.COUNT, trip["bars"]),
        *(number_cell(SIGNED_PERCENT_FORMAT, trip[name]) for name in ("return_pct", "pnl_pct")),
        *(number_cell(PERCENT_FORMAT, trip[name]) for name in ("cost_pct", "mae_pct")),
        number_cell(SIGNED_PERCENT_FORMAT, trip["mfe_pct"]),
    )


def _price_cell(value: float) -> DataTableCell:
    return DataTableCell(formatting.price(value), formatting.full_precision(value))

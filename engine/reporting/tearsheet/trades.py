"""The strategy's round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.excursions import excursions_plot, round_trip_rows
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.order_waits import describe_waits
from engine.reporting.tables import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    import pandas as pd

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents.analysis import RoundTripFigures
    from engine.runs.run import Run

MAX_ROWS = 1_000
"""Largest number of round trips listed and drawn; of more, those with the largest results."""

TRADE_COLUMNS = (
    DataTableColumn("Symbol", "text"),
    DataTableColumn("Side", "text"),
    DataTableColumn("Entry", "text"),
    DataTableColumn("Exit", "text"),
    DataTableColumn("Entry price"),
    DataTableColumn("Exit price"),
    DataTableColumn("Bars"),
    DataTableColumn("Net return"),
    DataTableColumn("P&L, of equity"),
    DataTableColumn("Costs"),
    DataTableColumn("MAE"),
    DataTableColumn("MFE"),
)
PERCENT_FORMAT = formatting.NumberFormat(2, f"{formatting.NO_BREAK_SPACE}%")
SIGNED_PERCENT_FORMAT = formatting.NumberFormat(2, f"{formatting.NO_BREAK_SPACE}%", signed=True)


@dataclass(frozen=True)
class TradesContent:
    """The round trips.

    Attributes:
        finding: Win rate and payoff ratio in a sentence.
        waits: Sentences on orders that were due where nothing traded; empty without any.
        span: First bar, last bar and number of bars.
        headlines: Label, figure, and its meaning.
        plot: Excursions; None without round trips.
        notes: On round trips that are not listed.
        listing: A row for each round trip.
    """

    finding: str
    waits: tuple[str, ...]
    span: str
    headlines: tuple[tuple[str, str, str], ...]
    plot: XYPlot | None
    notes: tuple[str, ...]
    listing: DataTable


def trades_section(run: Run) -> TearsheetSection | None:
    """Round trips of the strategy; None where the fills of an older run lack their equity."""
    summary = run.analysis.round_trips
    if summary is None:
        return None
    shown, notes = _select_largest(run.round_trips)
    if run.bars["high"].isna().all():
        notes = (*notes, "The bars have closes alone: excursions are those of the closes.")
    span = describe_span(run.returns.index)
    plot = None
    if len(shown):
        plot = excursions_plot(shown, finding=_excursions_finding(summary), span=span, notes=notes)
    return TearsheetSection(
        "trades",
        "Trades",
        TradesContent(
            finding=_trades_finding(summary),
            waits=describe_waits(run.metrics),
            span=span,
            headlines=_trade_headlines(summary),
            plot=plot,
            notes=notes,
            listing=DataTable(
                "Round trips of the strategy",
                TRADE_COLUMNS,
                _trade_rows(shown),
                "Filter trades",
            ),
        ),
    )


def _select_largest(trips: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Round trips to show in the order of their entries, and a note if some are left out."""
    if len(trips) <= MAX_ROWS:
        return trips.sort_values("entry", kind="stable"), ()
    kept = trips.loc[trips["pnl_pct"].abs().nlargest(MAX_ROWS).index]
    note = (
        f"Shown are the {formatting.COUNT(len(kept))} with the largest gain or loss of "
        f"{formatting.COUNT(len(trips))} round trips; the figures above include all."
    )
    return kept.sort_values("entry", kind="stable"), (note,)


def _trades_finding(summary: RoundTripFigures) -> str:
    if not summary.finished and not summary.open:
        return "The strategy never traded."
    if not summary.finished:
        positions = formatting.count_of(summary.open, "open position")
        return f"The strategy has {positions}; no round trip is closed."
    trips = formatting.count_of(summary.finished, "closed round trip")
    rate = formatting.PERCENT(summary.win_rate_pct)
    sentence = f"Of {trips} {rate} made money after costs."
    if summary.payoff_ratio is None:
        return sentence
    return (
        f"{sentence} The mean win was {formatting.RATIO(summary.payoff_ratio)} times the mean "
        f"loss: the break-even win rate is {formatting.PERCENT(summary.break_even_win_rate_pct)}."
    )


def _excursions_finding(summary: RoundTripFigures) -> str:
    parts = []
    if summary.winners_median_mae_pct is not None:
        adverse = formatting.PERCENT(-summary.winners_median_mae_pct)
        parts.append(f"half of the winners had an adverse excursion of {adverse} or more")
    if summary.losers_median_mfe_pct is not None:
        favourable = formatting.PERCENT(summary.losers_median_mfe_pct)
        parts.append(f"half of the losers had a favourable excursion of {favourable} or more")
    sentence = "; ".join(parts) or "no round trip is closed"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _trade_headlines(summary: RoundTripFigures) -> tuple[tuple[str, str, str], ...]:
    """Label, figure, and its meaning."""
    return (
        (
            "Closed round trips",
            formatting.COUNT(summary.finished),
            f"and {formatting.COUNT(summary.open)} open",
        ),
        ("Win rate", formatting.PERCENT(summary.win_rate_pct), "made money after costs"),
        ("Payoff ratio", formatting.RATIO(summary.payoff_ratio), "mean win / mean loss"),
        ("Profit factor", formatting.RATIO(summary.profit_factor), "sum of wins / sum of losses"),
        ("Average holding period", formatting.AVERAGE_BARS(summary.mean_bars), "closes"),
        (
            "Longest losing streak",
            formatting.COUNT(summary.losing_streak),
            "consecutive round trips",
        ),
    )


def _trade_rows(trips: pd.DataFrame) -> tuple[tuple[DataTableCell, ...], ...]:
    return tuple(
        (
            DataTableCell(trip.symbol),
            DataTableCell(trip.side),
            DataTableCell(formatting.timestamp(trip.entry)),
            # Times sort as text, and an open round trip after all others.
            DataTableCell("open", "open")
            if trip.open
            else DataTableCell(formatting.timestamp(trip.exit)),
            _price_cell(trip.entry_price),
            _price_cell(trip.exit_price),
            number_cell(formatting.COUNT, trip.bars),
            number_cell(SIGNED_PERCENT_FORMAT, trip.return_pct),
            number_cell(SIGNED_PERCENT_FORMAT, trip.pnl_pct),
            number_cell(PERCENT_FORMAT, trip.cost_pct),
            number_cell(PERCENT_FORMAT, trip.mae_pct),
            number_cell(SIGNED_PERCENT_FORMAT, trip.mfe_pct),
        )
        for trip in round_trip_rows(trips)
    )


def _price_cell(value: float) -> DataTableCell:
    return DataTableCell(formatting.price(value), formatting.full_precision(value))

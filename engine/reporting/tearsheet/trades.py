"""The strategy's round trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.evaluation.round_trips import TripSummary, round_trips, trip_summary
from engine.reporting import formatting
from engine.reporting.books import STRATEGY
from engine.reporting.charts.drawing import span_of
from engine.reporting.charts.excursions import excursions_plot
from engine.reporting.listing import Cell, Column, Listing, figure
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from engine.artifacts import Run

MOST_ROWS = 1_000
"""Trips listed and drawn; of more those with the largest results."""

COLUMNS = (
    *(Column("Symbol", "text"), Column("Side", "text"), Column("In", "text")),
    *(Column("Out", "text"), Column("Paid in"), Column("Paid out"), Column("Bars")),
    *(Column("Net return"), Column("P&L, of equity"), Column("Costs")),
    *(Column("MAE"), Column("MFE")),
)
FINE = formatting.Unit(2, f"{formatting.NO_BREAK}%")
SIGNED_FINE = formatting.Unit(2, f"{formatting.NO_BREAK}%", signed=True)


def trades(run: Run) -> Section | None:
    """Round trips from the fills alone; nothing where fills lack the equity they were made at."""
    if "equity" not in run.trades:
        return None
    index = pd.DatetimeIndex(run.returns.index)
    execution = run.manifest.get("strategy", {}).get("execution", {})
    trips = round_trips(
        run.trades[run.trades["book"] == STRATEGY],
        run.bars,
        index,
        filled_at=execution.get("price", "open"),
    )
    shown, note = _largest(trips)
    found = trip_summary(trips)
    span = span_of(index)
    return Section(
        "trades",
        "Trades",
        {
            "finding": _finding(found),
            "span": span,
            "headlines": _headlines(found),
            "plot": excursions_plot(shown, span=span, notes=note) if len(shown) else None,
            "note": note,
            "listing": Listing(
                "Round trips of the strategy",
                COLUMNS,
                tuple(_row(trip) for trip in shown.to_dict("records")),
                "Filter trades",
            ),
        },
    )


def _largest(trips: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """In the order of their entries: all, or those with the largest results, and a note then."""
    kept = trips
    if len(trips) > MOST_ROWS:
        kept = trips.loc[trips["pnl_pct"].abs().nlargest(MOST_ROWS).index]
    note = (
        f"Shown are the {formatting.COUNT(len(kept))} with the largest gain or loss of "
        f"{formatting.COUNT(len(trips))} round trips; the figures above are of all.",
    )
    return kept.sort_values("entry", kind="stable"), note if len(kept) < len(trips) else ()


def _finding(found: TripSummary) -> str:
    if not found.finished and not found.open:
        return "The strategy never traded."
    if not found.finished:
        positions = formatting.count_of(found.open, "position")
        return f"The strategy has {positions} open still; no round trip is finished."
    trips = formatting.count_of(found.finished, "finished round trip")
    rate = formatting.PERCENT(100.0 * (found.win_rate or 0.0))
    if found.payoff_ratio is None:
        return f"Of {trips} {rate} made money after costs."
    needed = formatting.PERCENT(100.0 / (1.0 + found.payoff_ratio))
    return (
        f"Of {trips} {rate} made money after costs. The mean win was "
        f"{formatting.RATIO(found.payoff_ratio)} times the mean loss, so that {needed} had to win "
        "to come out even."
    )


def _headlines(found: TripSummary) -> tuple[tuple[str, str, str], ...]:
    """Label, figure, and what it means."""
    rate = None if found.win_rate is None else 100.0 * found.win_rate
    return (
        (
            "Finished round trips",
            formatting.COUNT(found.finished),
            f"and {formatting.COUNT(found.open)} open",
        ),
        ("Win rate", formatting.PERCENT(rate), "made money after costs"),
        ("Payoff ratio", formatting.RATIO(found.payoff_ratio), "mean win over mean loss"),
        ("Profit factor", formatting.RATIO(found.profit_factor), "all won over all lost"),
        ("Average held", formatting.AVERAGE_BARS(found.mean_bars), "closes"),
        ("Longest losing streak", formatting.COUNT(found.losing_streak), "trips in a row"),
    )


def _row(trip: Mapping[Hashable, Any]) -> tuple[Cell, ...]:
    return (
        Cell(trip["symbol"]),
        Cell(trip["side"]),
        Cell(formatting.moment(trip["entry"])),
        # A moment sorts as text; what is open ends later than everything.
        Cell("open", "open") if trip["open"] else Cell(formatting.moment(trip["exit"])),
        *(_price(trip[name]) for name in ("entry_price", "exit_price")),
        figure(formatting.COUNT, trip["bars"]),
        *(figure(SIGNED_FINE, trip[name]) for name in ("return_pct", "pnl_pct")),
        *(figure(FINE, trip[name]) for name in ("cost_pct", "mae_pct")),
        figure(SIGNED_FINE, trip["mfe_pct"]),
    )


def _price(value: float) -> Cell:
    return Cell(formatting.price(value), formatting.exact(value))

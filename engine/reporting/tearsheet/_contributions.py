"""Contributions to the book's log return by symbol: bars of the extreme ones, a table of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.tables import DataTable, DataTableCell, DataTableColumn, number_cell

if TYPE_CHECKING:
    from engine.runs.documents.analysis_universe import BookSymbolFigures, UniverseFigures

SHOWN_AT_EACH_END = 10
"""Symbols with a bar at either end; the table has all."""

COST_LABELS = {"fee": "Fees", "slippage": "Slippage", "borrow": "Borrowing"}
"""Headings of known costs; others have their own name."""


@dataclass(frozen=True)
class ContributionBar:
    """One symbol; positions are per cent of the width.

    Attributes:
        symbol: Its name.
        text: Its contribution after costs.
        css: Side of the colour.
        start: Left end of its bar.
        width: Of the bar.
    """

    symbol: str
    text: str
    css: str
    start: float
    width: float


@dataclass(frozen=True)
class ContributionBars:
    """The bars, the largest contribution first.

    Attributes:
        description: Which symbols they are.
        zero: Position of 0, per cent of the width.
        lists: One list, or that of the most and that of the least.
    """

    description: str
    zero: float
    lists: tuple[tuple[ContributionBar, ...], ...]


def contribution_bars(figures: UniverseFigures) -> ContributionBars | None:
    """Bars of all symbols, or of the ten at either end; None without figures of symbols."""
    ranked = sorted(figures.symbol_figures, key=lambda each: -each.net_pct)
    if not ranked:
        return None
    values = [each.net_pct for each in ranked]
    low, high = min(0.0, *values), max(0.0, *values)
    width = (high - low) or 1.0

    def bar(each: BookSymbolFigures) -> ContributionBar:
        start = min(0.0, each.net_pct)
        return ContributionBar(
            each.symbol,
            formatting.SIGNED_FINE_PERCENT(each.net_pct),
            "down-side" if each.net_pct < 0 else "up-side",
            round(100 * (start - low) / width, 2),
            round(100 * abs(each.net_pct) / width, 2),
        )

    description = "Log return after costs, in per cent; with interest on cash they add up to that "
    description += "of the book."
    lists: tuple[tuple[ContributionBar, ...], ...] = (tuple(map(bar, ranked)),)
    if len(ranked) > 2 * SHOWN_AT_EACH_END:
        ends = ranked[:SHOWN_AT_EACH_END], ranked[-SHOWN_AT_EACH_END:]
        lists = tuple(tuple(map(bar, end)) for end in ends)
        rest = ranked[SHOWN_AT_EACH_END:-SHOWN_AT_EACH_END]
        together = formatting.SIGNED_FINE_PERCENT(sum(each.net_pct for each in rest))
        description += (
            f" The {SHOWN_AT_EACH_END} symbols that gave most and the {SHOWN_AT_EACH_END} that "
            f"gave least; the other {formatting.COUNT(len(rest))} gave {together} together."
        )
    return ContributionBars(description, round(-100 * low / width, 2), lists)


def symbols_table(figures: UniverseFigures) -> DataTable | None:
    """A row a symbol, to be searched and sorted; None without figures of symbols."""
    rows = figures.symbol_figures
    if not rows:
        return None
    items = [name for name in rows[0].costs_pct if any(each.costs_pct.get(name) for each in rows)]
    has_short = any(each.short_pct for each in rows)
    sides = ("Long", "Short") if has_short else ()
    return DataTable(
        "Symbols of the book",
        (
            DataTableColumn("Symbol", "text"),
            *map(
                DataTableColumn,
                (
                    *("After costs", "t", "p, Holm", "Before costs", *sides, "Costs"),
                    *(COST_LABELS.get(name, name.capitalize()) for name in items),
                    *("Turnover a year", "Mean weight", "Held"),
                ),
            ),
        ),
        tuple(_row(each, items, has_short=has_short) for each in rows),
        "Search symbols",
    )


def _row(
    figures: BookSymbolFigures, items: list[str], *, has_short: bool
) -> tuple[DataTableCell, ...]:
    percent, signed = formatting.PERCENT, formatting.SIGNED_FINE_PERCENT
    sides = (figures.long_pct, figures.short_pct) if has_short else ()
    return (
        DataTableCell(figures.symbol),
        number_cell(signed, figures.net_pct),
        number_cell(formatting.SIGNED_RATIO, figures.t_statistic),
        DataTableCell(
            formatting.p_value(figures.p_value_holm),
            ""
            if figures.p_value_holm is None
            else formatting.full_precision(figures.p_value_holm),
        ),
        number_cell(signed, figures.gross_pct),
        *(number_cell(signed, side) for side in sides),
        number_cell(signed, figures.cost_pct),
        *(number_cell(signed, figures.costs_pct.get(name)) for name in items),
        number_cell(formatting.RATIO, figures.turnover_per_year),
        number_cell(signed, figures.mean_weight_pct),
        number_cell(percent, figures.held_bars_pct),
    )

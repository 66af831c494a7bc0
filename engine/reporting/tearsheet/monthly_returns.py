"""Monthly and yearly returns as a heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.documents.analysis_returns import PeriodReturns
    from engine.runs.run import Run

MONTH_LABELS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

FULL_COLOUR_QUANTILE = 0.95
"""Colour is full at this quantile of absolute returns, so that one crash pales no other month."""


@dataclass(frozen=True)
class MonthlyReturnCell:
    """One return.

    Attributes:
        text: The return; empty where the span has no such month.
        css: `gain`, `loss` or `none`.
        strength: Intensity of the colour, 0 to 100.
    """

    text: str
    css: str
    strength: int


@dataclass(frozen=True)
class MonthlyHeatmap:
    """The heat map.

    Attributes:
        rows: Year, its twelve months, its total, and the benchmark's total (None without one).
        full_colour: Return from which the colour is full.
        month_labels: Headings of the months.
    """

    rows: tuple[
        tuple[str, tuple[MonthlyReturnCell, ...], MonthlyReturnCell, MonthlyReturnCell | None], ...
    ]
    full_colour: str
    month_labels: tuple[str, ...] = MONTH_LABELS


def monthly_returns_section(run: Run) -> TearsheetSection:
    """Months and years of the strategy, with the years of buy and hold."""
    periods = run.analysis.period_returns
    heatmap = make_monthly_heatmap(periods[STRATEGY], periods.get(BUY_AND_HOLD))
    return TearsheetSection("months", "Monthly returns", heatmap)


def make_monthly_heatmap(
    strategy: PeriodReturns, benchmark: PeriodReturns | None
) -> MonthlyHeatmap:
    """Months and yearly totals of one book, with the yearly totals of the benchmark.

    Args:
        strategy: Returns of months and years in per cent.
        benchmark: The same of the benchmark, if there is one.
    """
    sizes = np.abs(list(strategy.months.values()))
    full = max(0.1, float(np.quantile(sizes, FULL_COLOUR_QUANTILE)))
    rows = tuple(
        (
            year,
            tuple(
                _return_cell(strategy.months.get(f"{year}-{month:02d}"), full)
                for month in range(1, 13)
            ),
            _return_cell(total),
            None if benchmark is None else _return_cell(benchmark.years[year]),
        )
        for year, total in strategy.years.items()
    )
    return MonthlyHeatmap(rows, formatting.PERCENT(full))


def _return_cell(value: float | None, full_colour: float | None = None) -> MonthlyReturnCell:
    if value is None:
        return MonthlyReturnCell("", "none", 0)
    text = formatting.BARE_PERCENT(value)
    strength = 0 if full_colour is None else round(100 * min(1.0, abs(value) / full_colour))
    return MonthlyReturnCell(text, "gain" if value >= 0 else "loss", strength)

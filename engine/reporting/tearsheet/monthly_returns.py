"""Monthly and yearly returns as a heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
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
        strength: Colour, 0 to 100.
    """

    text: str
    css: str
    strength: int


@dataclass(frozen=True)
class MonthlyHeatmap:
    """The heat map.

    Attributes:
        rows: Year, its twelve months, its total, and the benchmark's total (None without one).
        full_colour: Return, in words, from which the colour is full.
    """

    rows: tuple[
        tuple[str, tuple[MonthlyReturnCell, ...], MonthlyReturnCell, MonthlyReturnCell | None], ...
    ]
    full_colour: str


def monthly_returns_section(run: Run) -> TearsheetSection:
    """The strategy's months, with the years of holding beside them."""
    made = make_monthly_heatmap(run.returns[STRATEGY], run.returns.get(BUY_AND_HOLD))
    return TearsheetSection(
        "months",
        "Months",
        {"rows": made.rows, "full_colour": made.full_colour, "names": MONTH_LABELS},
    )


def compound_returns_pct(returns: pd.Series[float], frequency: str) -> dict[str, float]:
    """Return of each month (`M`, key `2003-06`) or year (`Y`, key `2003`): 100 (prod(1 + r) - 1).

    Args:
        returns: Index timestamp (UTC), net simple returns, no NaN.
        frequency: `M` or `Y`.

    Returns:
        Per cent, ascending, only the months or years in which there are bars.
    """
    periods = pd.DatetimeIndex(returns.index).tz_localize(None).to_period(frequency).astype(str)
    growth = (1.0 + returns).groupby(periods).prod()
    return {str(period): 100.0 * (float(value) - 1.0) for period, value in growth.items()}


def make_monthly_heatmap(
    returns: pd.Series[float], benchmark: pd.Series[float] | None
) -> MonthlyHeatmap:
    """Months and yearly totals of one book, with the benchmark's totals beside them.

    Args:
        returns: Index timestamp (UTC), net simple returns.
        benchmark: The same of the benchmark, if there is one.
    """
    months, years = compound_returns_pct(returns, "M"), compound_returns_pct(returns, "Y")
    totals = {} if benchmark is None else compound_returns_pct(benchmark, "Y")
    full = max(0.1, float(np.quantile(np.abs(list(months.values())), FULL_COLOUR_QUANTILE)))
    rows = tuple(
        (
            year,
            tuple(_return_cell(months.get(f"{year}-{month:02d}"), full) for month in range(1, 13)),
            _return_cell(total),
            _return_cell(totals[year]) if totals else None,
        )
        for year, total in years.items()
    )
    return MonthlyHeatmap(rows, formatting.PERCENT(full))


def _return_cell(value: float | None, full_colour: float | None = None) -> MonthlyReturnCell:
    if value is None:
        return MonthlyReturnCell("", "none", 0)
    text = formatting.BARE_PERCENT(value)
    strength = 0 if full_colour is None else round(100 * min(1.0, abs(value) / full_colour))
    return MonthlyReturnCell(text, "gain" if value >= 0 else "loss", strength)

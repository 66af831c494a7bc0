"""The page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting, metrics_table
from engine.reporting.charts.drawing import page_data
from engine.reporting.charts.plot import plot_data
from engine.reporting.heading import heading
from engine.reporting.rendering import render
from engine.reporting.significance.robustness import fragility_line
from engine.reporting.tearsheet.attribution import attribution
from engine.reporting.tearsheet.books import books
from engine.reporting.tearsheet.distribution import distribution
from engine.reporting.tearsheet.forecasts import forecasts
from engine.reporting.tearsheet.fragility import fragility
from engine.reporting.tearsheet.months import months
from engine.reporting.tearsheet.paths import paths
from engine.reporting.tearsheet.provenance import provenance
from engine.reporting.tearsheet.quality import quality
from engine.reporting.tearsheet.rolling import rolling
from engine.reporting.tearsheet.trades import trades
from engine.reporting.tearsheet.windows import windows

if TYPE_CHECKING:
    from engine.artifacts import Run

SECTIONS = (
    *(books, paths, windows, months, distribution, rolling, trades),
    *(forecasts, fragility, attribution, quality, provenance),
)
"""In reading order: each makes its section of a run, or nothing where the run has no figures."""


def tearsheet(run: Run) -> str:
    """The page, self-contained, from the run alone."""
    made = (section(run) for section in SECTIONS)
    return render(
        "tearsheet.html.j2",
        page="tearsheet",
        heading=heading(run),
        break_even=fragility_line(run.significance),
        headlines=metrics_table.headlines(run.metrics, run.significance),
        sections=[section for section in made if section is not None],
        missing=formatting.MISSING,
        chart_data=page_data,
        plot_data=plot_data,
    )

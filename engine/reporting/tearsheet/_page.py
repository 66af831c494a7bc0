"""The page of the tearsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.header import make_run_header
from engine.reporting.sensitivity_surface import break_even_sentence
from engine.reporting.tearsheet._book_metrics import book_metrics_section, headline_metrics
from engine.reporting.tearsheet._equity import equity_section
from engine.reporting.tearsheet._rolling import rolling_section
from engine.reporting.tearsheet.attribution import attribution_section
from engine.reporting.tearsheet.data_quality import data_quality_section
from engine.reporting.tearsheet.distribution import distribution_section
from engine.reporting.tearsheet.forecasts import forecasts_section
from engine.reporting.tearsheet.monthly_returns import monthly_returns_section
from engine.reporting.tearsheet.next_orders import next_orders_section
from engine.reporting.tearsheet.path_risk import path_risk_section
from engine.reporting.tearsheet.provenance import provenance_section
from engine.reporting.tearsheet.sensitivity import sensitivity_section
from engine.reporting.tearsheet.trades import trades_section
from engine.reporting.tearsheet.universe import universe_section
from engine.reporting.tearsheet.windows import windows_section
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTION_BUILDERS = (
    book_metrics_section,
    equity_section,
    universe_section,
    windows_section,
    monthly_returns_section,
    distribution_section,
    path_risk_section,
    rolling_section,
    trades_section,
    next_orders_section,
    forecasts_section,
    sensitivity_section,
    attribution_section,
    data_quality_section,
    provenance_section,
)
"""In the order of the page; a builder returns None where the run has no figures for it."""


def render_tearsheet(run: Run) -> str:
    """The tearsheet of a run as one self-contained HTML page."""
    sections = (build(run) for build in SECTION_BUILDERS)
    return render_template(
        "tearsheet.html.j2",
        page="tearsheet",
        heading=make_run_header(run),
        break_even=break_even_sentence(run.significance),
        headlines=headline_metrics(run),
        sections=[section for section in sections if section is not None],
        missing=formatting.MISSING,
        chart_data=chart_data,
        plot_data=plot_data,
    )

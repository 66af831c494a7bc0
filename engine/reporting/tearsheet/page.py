"""The page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting, metrics_table
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.header import make_run_header
from engine.reporting.significance.robustness import break_even_sentence
from engine.reporting.tearsheet.attribution import attribution_section
from engine.reporting.tearsheet.book_metrics import book_metrics_section
from engine.reporting.tearsheet.data_quality import data_quality_section
from engine.reporting.tearsheet.distribution import distribution_section
from engine.reporting.tearsheet.equity import equity_section
from engine.reporting.tearsheet.forecasts import forecasts_section
from engine.reporting.tearsheet.monthly_returns import monthly_returns_section
from engine.reporting.tearsheet.provenance import provenance_section
from engine.reporting.tearsheet.rolling import rolling_section
from engine.reporting.tearsheet.sensitivity import sensitivity_section
from engine.reporting.tearsheet.trades import trades_section
from engine.reporting.tearsheet.windows import windows_section
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTION_BUILDERS = (
    *(
        book_metrics_section,
        equity_section,
        windows_section,
        monthly_returns_section,
        distribution_section,
        rolling_section,
        trades_section,
    ),
    *(
        forecasts_section,
        sensitivity_section,
        attribution_section,
        data_quality_section,
        provenance_section,
    ),
)
"""In reading order: each makes its section of a run, or nothing where the run has no figures."""


def render_tearsheet(run: Run) -> str:
    """The page, self-contained, from the run alone."""
    made = (section(run) for section in SECTION_BUILDERS)
    return render_template(
        "tearsheet.html.j2",
        page="tearsheet",
        heading=make_run_header(run),
        break_even=break_even_sentence(run.significance),
        headlines=metrics_table.headline_metrics(run.metrics, run.significance),
        sections=[section for section in made if section is not None],
        missing=formatting.MISSING,
        chart_data=chart_data,
        plot_data=plot_data,
    )

"""The page with the report of the quantstats library, as an independent second report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.header import make_run_header
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.reporting.quantstats_process import QuantstatsReport
    from engine.runs.run import Run


def render_quantstats(run: Run, report: QuantstatsReport) -> str:
    """The page, self-contained, from the run and the quantstats report on its returns."""
    from markupsafe import Markup

    return render_template(
        "quantstats.html.j2",
        page="quantstats",
        heading=make_run_header(run),
        reason=report.missing_reason,
        periods=formatting.COUNT(report.periods_per_year),
        benchmark=book_style(report.benchmark).label if report.benchmark else "",
        # Made by quantstats from numbers and fixed titles: it contains no text from outside.
        report=Markup(report.html),
    )

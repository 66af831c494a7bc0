"""The pages of a run, rendered as text or written into its folder."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.core.storage import write_file
from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.header import make_run_header
from engine.reporting.interpretation import render_interpretation
from engine.reporting.quantstats_process import open_quantstats_process
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from engine.reporting.templating import render_template
from engine.runs.folder import INTERPRETATION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from engine.reporting.quantstats_process import QuantstatsProcess, QuantstatsReport
    from engine.runs.run import Run


def write_pages(run: Run, folder: Path) -> None:
    """Writes tearsheet.html, significance.html and quantstats.html into `folder`, which exists.

    And interpretation.html, where the run has an interpretation.

    Each is one self-contained file without network access; the same run gives the same bytes.

    Raises:
        ReportError: quantstats failed.
    """
    with open_page_writer() as pages:
        pages.start_quantstats(
            run.returns, run.metrics.span.periods_per_year, _mean_risk_free(run)
        )
        pages.write(run, folder)


def render_page(run: Run, page: str) -> str:
    """One page of a run as text: `tearsheet`, `significance`, `interpretation` or `quantstats`.

    Raises:
        ReportError: quantstats failed.
    """
    if page == "tearsheet":
        return render_tearsheet(run)
    if page == "significance":
        return render_significance(run)
    if page == "interpretation" and run.interpretation is not None:
        return render_interpretation(run, run.interpretation)
    with open_quantstats_process() as quantstats:
        quantstats.submit(run.returns, run.metrics.span.periods_per_year, _mean_risk_free(run))
        return render_quantstats(run, quantstats.wait_for_report())


def render_quantstats(run: Run, report: QuantstatsReport) -> str:
    """The page with the report of the quantstats library, as an independent second report.

    Args:
        run: A finished run.
        report: The report on its returns.
    """
    from markupsafe import Markup

    rate = run.metrics.risk_free_rate
    return render_template(
        "quantstats.html.j2",
        page="quantstats",
        heading=make_run_header(run),
        reason=report.missing_reason,
        periods=formatting.COUNT(report.periods_per_year),
        is_daily=report.is_daily,
        risk_free=rate,
        benchmark=book_style(report.benchmark).label if report.benchmark else "",
        # Made by quantstats from numbers and fixed titles: it contains no text from outside.
        report=Markup(report.html),
    )


@contextmanager
def open_page_writer(*, enabled: bool = True) -> Iterator[PageWriter]:
    """A page writer whose slowest page, quantstats, is rendered in a process of its own.

    Args:
        enabled: Whether pages are written at all; if not, no process is started.
    """
    if not enabled:
        yield PageWriter(None)
        return
    with open_quantstats_process() as quantstats:
        yield PageWriter(quantstats)


class PageWriter:
    """Writes the pages of a run: `start_quantstats` once the returns are known, then `write`."""

    def __init__(self, quantstats: QuantstatsProcess | None) -> None:
        self._quantstats = quantstats

    def start_quantstats(
        self, returns: pd.DataFrame, periods_per_year: float, risk_free: float = 0.0
    ) -> None:
        """Starts the quantstats report in its process, while this process goes on.

        Args:
            returns: Index timestamp, one column per book.
            periods_per_year: Bars per year.
            risk_free: Mean annual risk-free rate, a fraction.

        Raises:
            ReportError: The quantstats process died.
        """
        if self._quantstats:
            self._quantstats.submit(returns, periods_per_year, risk_free)

    def write(self, run: Run, folder: Path) -> None:
        """Writes every page into `folder`.

        Raises:
            ReportError: quantstats failed.
        """
        if not self._quantstats:
            return
        write_file(folder / "tearsheet.html", render_tearsheet(run))
        write_file(folder / "significance.html", render_significance(run))
        if run.interpretation is not None:
            page = render_interpretation(run, run.interpretation)
            write_file(folder / f"{INTERPRETATION}.html", page)
        # Last, because it waits for the quantstats process.
        write_file(
            folder / "quantstats.html", render_quantstats(run, self._quantstats.wait_for_report())
        )


def _mean_risk_free(run: Run) -> float:
    return run.metrics.risk_free_rate.mean_pct / 100

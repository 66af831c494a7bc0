"""All pages of a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.reporting.quantstats_page import render_quantstats
from engine.reporting.quantstats_process import open_quantstats_process
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from engine.reporting.quantstats_process import QuantstatsProcess
    from engine.runs.run import Run


def write_pages(run: Run, folder: Path) -> None:
    """Writes tearsheet.html, significance.html and quantstats.html into `folder`, which exists.

    Each is one file that asks the network for nothing; the same run gives the same bytes.

    Raises:
        ReportError: quantstats failed.
    """
    with open_page_writer() as pages:
        pages.start_quantstats(run.returns, run.metrics["span"]["periods_per_year"])
        pages.write(run, folder)


def render_page(run: Run, page: str) -> str:
    """One page of a run as text: `tearsheet`, `significance` or `quantstats`.

    Raises:
        ReportError: quantstats failed.
    """
    if page == "tearsheet":
        return render_tearsheet(run)
    if page == "significance":
        return render_significance(run)
    with open_quantstats_process() as quantstats:
        quantstats.submit(run.returns, run.metrics["span"]["periods_per_year"])
        return render_quantstats(run, quantstats.wait_for_report())


@contextmanager
def open_page_writer(*, enabled: bool = True) -> Iterator[PageWriter]:
    """Pages whose slowest part is begun as soon as its figures are there; of none, no part is."""
    if not enabled:
        yield PageWriter(None)
        return
    with open_quantstats_process() as quantstats:
        yield PageWriter(quantstats)


class PageWriter:
    """Writes a run's pages: `start_quantstats` once the returns are known, then `write`."""

    def __init__(self, quantstats: QuantstatsProcess | None) -> None:
        self._quantstats = quantstats

    def start_quantstats(self, returns: pd.DataFrame, periods_per_year: float) -> None:
        """Lets quantstats draw beside whatever comes next.

        Args:
            returns: Index timestamp, a column a book.
            periods_per_year: Of these bars.

        Raises:
            ReportError: Its process died.
        """
        if self._quantstats:
            self._quantstats.submit(returns, periods_per_year)

    def write(self, run: Run, folder: Path) -> None:
        """Writes every page into `folder`.

        Raises:
            ReportError: quantstats failed.
        """
        if not self._quantstats:
            return
        _write_text(folder / "tearsheet.html", render_tearsheet(run))
        _write_text(folder / "significance.html", render_significance(run))
        # Last, for it is the one that has to be waited for.
        _write_text(
            folder / "quantstats.html", render_quantstats(run, self._quantstats.wait_for_report())
        )


def _write_text(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")

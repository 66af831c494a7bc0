"""All pages of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.quantstats_page import quantstats_page
from engine.reporting.quantstats_process import quantstats_beside
from engine.reporting.significance import significance_page
from engine.reporting.tearsheet import tearsheet

if TYPE_CHECKING:
    from pathlib import Path

    from engine.artifacts import Run
    from engine.reporting.quantstats_process import Quantstats


def write_pages(run: Run, folder: Path, quantstats: Quantstats | None = None) -> None:
    """Writes tearsheet.html, significance.html and quantstats.html into `folder`, which exists.

    Each is one file that asks the network for nothing; the same run gives the same bytes.

    Args:
        run: Everything the pages tell.
        folder: Where they go.
        quantstats: At work on the run's returns already; started here if not given.

    Raises:
        ReportError: quantstats failed.
    """
    if quantstats is None:
        with quantstats_beside() as started:
            started.begin(run.returns, run.metrics["span"]["periods_per_year"])
            write_pages(run, folder, started)
        return
    _write(folder / "tearsheet.html", tearsheet(run))
    _write(folder / "significance.html", significance_page(run))
    # Last, for it is the one that has to be waited for.
    _write(folder / "quantstats.html", quantstats_page(run, quantstats.opinion()))


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")

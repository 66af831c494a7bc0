"""All pages of a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.reporting.quantstats_page import quantstats_page
from engine.reporting.quantstats_process import quantstats_beside
from engine.reporting.significance import significance_page
from engine.reporting.tearsheet import tearsheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from engine.artifacts import Run
    from engine.reporting.quantstats_process import Quantstats


def write_pages(run: Run, folder: Path) -> None:
    """Writes tearsheet.html, significance.html and quantstats.html into `folder`, which exists.

    Each is one file that asks the network for nothing; the same run gives the same bytes.

    Raises:
        ReportError: quantstats failed.
    """
    with drawing() as pages:
        pages.begin(run.returns, run.metrics["span"]["periods_per_year"])
        pages.write(run, folder)


def draw(run: Run, page: str) -> str:
    """One page of a run as text: `tearsheet`, `significance` or `quantstats`.

    Raises:
        ReportError: quantstats failed.
    """
    if page == "tearsheet":
        return tearsheet(run)
    if page == "significance":
        return significance_page(run)
    with quantstats_beside() as quantstats:
        quantstats.begin(run.returns, run.metrics["span"]["periods_per_year"])
        return quantstats_page(run, quantstats.opinion())


@contextmanager
def drawing(*, wanted: bool = True) -> Iterator[Pages]:
    """Pages whose slowest part is begun as soon as its figures are there; of none, no part is."""
    if not wanted:
        yield Pages(None)
        return
    with quantstats_beside() as quantstats:
        yield Pages(quantstats)


class Pages:
    """`begin` once the returns are known, then `write`; nothing happens where none are wanted."""

    def __init__(self, quantstats: Quantstats | None) -> None:
        self._quantstats = quantstats

    def begin(self, returns: pd.DataFrame, periods_per_year: float) -> None:
        """Lets quantstats draw beside whatever comes next.

        Args:
            returns: Index timestamp, a column a book.
            periods_per_year: Of these bars.

        Raises:
            ReportError: Its process died.
        """
        if self._quantstats:
            self._quantstats.begin(returns, periods_per_year)

    def write(self, run: Run, folder: Path) -> None:
        """Writes every page into `folder`.

        Raises:
            ReportError: quantstats failed.
        """
        if not self._quantstats:
            return
        _write(folder / "tearsheet.html", tearsheet(run))
        _write(folder / "significance.html", significance_page(run))
        # Last, for it is the one that has to be waited for.
        _write(folder / "quantstats.html", quantstats_page(run, self._quantstats.opinion()))


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8", newline="\n")

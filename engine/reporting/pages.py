"""All pages of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.quantstats_page import quantstats_page
from engine.reporting.significance import significance_page
from engine.reporting.tearsheet import tearsheet

if TYPE_CHECKING:
    from pathlib import Path

    from engine.artifacts import Run


def write_pages(run: Run, folder: Path) -> None:
    """Writes tearsheet.html, significance.html and quantstats.html into `folder`, which exists.

    Each is one file that asks the network for nothing; the same run gives the same bytes.
    """
    pages = {
        "tearsheet": tearsheet,
        "significance": significance_page,
        "quantstats": quantstats_page,
    }
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page(run), encoding="utf-8", newline="\n")

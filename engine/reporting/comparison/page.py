"""The page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.artifacts import PAGES
from engine.evaluation.comparison import candidate, compare
from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, Book, book
from engine.reporting.charts.drawing import page_data
from engine.reporting.charts.equity import equity_chart
from engine.reporting.comparison.head import head
from engine.reporting.comparison.questions import questions
from engine.reporting.comparison.runs import origins, run_books, run_rows
from engine.reporting.comparison.settings import settings_table
from engine.reporting.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.artifacts import Run
    from engine.evaluation.comparison import Comparison

FILE = "comparison.html"


def write_comparison(runs: Sequence[Run], folder: Path, found: Comparison | None = None) -> Path:
    """Writes `comparison.html` of several runs into `folder`, which is made where it is missing.

    One file that asks the network for nothing; the same runs in the same order give the same
    bytes. Names link to the tearsheets where these are there.

    Args:
        runs: Two or more; the first is the reference.
        folder: Where to.
        found: Their comparison, where it has been made already.

    Returns:
        The file.

    Raises:
        UsageError: The runs cannot be compared, as `compare` has it.
    """
    found = found or compare([candidate(run) for run in runs])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    page = comparison_page(runs, found, lambda run: _beside(run, folder))
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def comparison_page(
    runs: Sequence[Run], found: Comparison, link: Callable[[Run], str | None]
) -> str:
    """The page as text.

    Args:
        runs: Those that were compared, in the order of `found`.
        found: Their comparison.
        link: Where the tearsheet of a run is, None where there is none.
    """
    books = run_books(found)
    returns, drawn = _with_benchmark(found, books)
    return render(
        "comparison.html.j2",
        page="comparison",
        heading=head(found),
        rows=run_rows(runs, found, books, link),
        level=formatting.level(found.confidence),
        reference=found.labels[found.reference],
        settings=settings_table(found),
        chart=equity_chart(returns, drawn),
        books=drawn,
        sections=questions(found, books),
        origins=origins(runs, found, books),
        missing=formatting.MISSING,
        resamples=formatting.COUNT(found.resamples),
        commands=_commands(runs),
        again=f"backtest compare {' '.join(run.run_id for run in runs)}",
        chart_data=page_data,
    )


def _commands(runs: Sequence[Run]) -> list[str]:
    """What made the runs, each line once: one command may have made a family."""
    told = (run.manifest.get("command") for run in runs)
    return list(dict.fromkeys(command for command in told if command))


def _with_benchmark(
    found: Comparison, books: Sequence[Book]
) -> tuple[pd.DataFrame, tuple[Book, ...]]:
    if found.benchmark is None:
        return found.returns, tuple(books)
    return found.returns.assign(**{BUY_AND_HOLD: found.benchmark}), (*books, book(BUY_AND_HOLD))


def _beside(run: Run, folder: Path) -> str | None:
    """The address of a tearsheet as seen from `folder`."""
    sheet = run.run_dir / f"{PAGES[0]}.html"
    if not sheet.is_file():
        return None
    place = os.path.relpath(sheet.resolve(), folder.resolve()).replace(os.sep, "/")
    return quote(place, errors="surrogateescape")

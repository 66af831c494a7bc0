"""The page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.comparison import compare_runs, load_compared_run
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, BookStyle, book_style
from engine.reporting.charts.equity import equity_chart
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.comparison.config_diff import config_diff_table
from engine.reporting.comparison.header import make_comparison_header
from engine.reporting.comparison.run_rows import assign_run_styles, make_origin_rows, make_run_rows
from engine.reporting.comparison.sections import comparison_sections
from engine.reporting.templating import render_template
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.comparison import RunComparison
    from engine.runs.run import Run

COMPARISON_FILE = "comparison.html"


def write_comparison(
    runs: Sequence[Run], folder: Path, comparison: RunComparison | None = None
) -> Path:
    """Writes `comparison.html` of several runs into `folder`, which is made where it is missing.

    One file that asks the network for nothing; the same runs in the same order give the same
    bytes. Names link to the tearsheets where these are there.

    Args:
        runs: Two or more; the first is the reference.
        folder: Where to.
        comparison: Their comparison, where it has been made already.

    Returns:
        The file.

    Raises:
        UsageError: The runs cannot be compared, as `compare` has it.
    """
    comparison = comparison or compare_runs([load_compared_run(run) for run in runs])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / COMPARISON_FILE
    page = render_comparison(runs, comparison, lambda run: _relative_tearsheet_link(run, folder))
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def render_comparison(
    runs: Sequence[Run], comparison: RunComparison, tearsheet_link: Callable[[Run], str | None]
) -> str:
    """The page as text.

    Args:
        runs: Those that were compared, in the order of `comparison`.
        comparison: Their comparison.
        tearsheet_link: Where the tearsheet of a run is, None where there is none.
    """
    books = assign_run_styles(comparison)
    returns, drawn = _append_benchmark(comparison, books)
    return render_template(
        "comparison.html.j2",
        page="comparison",
        heading=make_comparison_header(comparison),
        rows=make_run_rows(runs, comparison, books, tearsheet_link),
        level=formatting.confidence_level(comparison.confidence),
        reference=comparison.labels[comparison.reference],
        settings=config_diff_table(comparison),
        chart=equity_chart((1.0 + returns).cumprod(), drawn),
        books=drawn,
        sections=comparison_sections(comparison, books),
        origins=make_origin_rows(runs, comparison, books),
        missing=formatting.MISSING,
        resamples=formatting.COUNT(comparison.resamples),
        commands=_run_commands(runs),
        again=f"backtest compare {' '.join(run.run_id for run in runs)}",
        chart_data=chart_data,
    )


def _run_commands(runs: Sequence[Run]) -> list[str]:
    """What made the runs, each line once: one command may have made a family."""
    told = (run.manifest.get("command") for run in runs)
    return list(dict.fromkeys(command for command in told if command))


def _append_benchmark(
    comparison: RunComparison, books: Sequence[BookStyle]
) -> tuple[pd.DataFrame, tuple[BookStyle, ...]]:
    if comparison.benchmark is None:
        return comparison.returns, tuple(books)
    return comparison.returns.assign(**{BUY_AND_HOLD: comparison.benchmark}), (
        *books,
        book_style(BUY_AND_HOLD),
    )


def _relative_tearsheet_link(run: Run, folder: Path) -> str | None:
    """The address of a tearsheet as seen from `folder`."""
    sheet = run.run_dir / f"{PAGES[0]}.html"
    if not sheet.is_file():
        return None
    place = os.path.relpath(sheet.resolve(), folder.resolve()).replace(os.sep, "/")
    return quote(place, errors="surrogateescape")

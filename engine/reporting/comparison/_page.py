"""The comparison page, rendered as text or written as a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.core.storage import write_file
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, book_style
from engine.reporting.charts.equity import equity_chart
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.comparison._header import make_comparison_header
from engine.reporting.comparison._run_tables import (
    assign_run_styles,
    config_diff_table,
    make_origin_rows,
    make_run_rows,
)
from engine.reporting.comparison._sections import comparison_sections
from engine.reporting.templating import render_template
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.comparison import RunComparison
    from engine.runs.run import Run

COMPARISON_FILE = "comparison.html"


def write_comparison(runs: Sequence[Run], folder: Path, comparison: RunComparison) -> Path:
    """Writes `comparison.html` of several runs into `folder`, which is created if missing.

    One self-contained file without network access; the same runs in the same order give the same
    bytes. Names link to the tearsheets that exist.

    Args:
        runs: The compared runs, in the order of `comparison`.
        folder: Output folder.
        comparison: Their comparison.

    Returns:
        Path of the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / COMPARISON_FILE
    page = render_comparison(runs, comparison, lambda run: _relative_tearsheet_link(run, folder))
    write_file(path, page)
    return path


def render_comparison(
    runs: Sequence[Run], comparison: RunComparison, tearsheet_link: Callable[[Run], str | None]
) -> str:
    """The page as text.

    Args:
        runs: The compared runs, in the order of `comparison`.
        comparison: Their comparison.
        tearsheet_link: Address of the tearsheet of a run, None where there is none.
    """
    books = assign_run_styles(comparison)
    has_benchmark = BUY_AND_HOLD in comparison.growth
    chart_books = (*books, *((book_style(BUY_AND_HOLD),) if has_benchmark else ()))
    return render_template(
        "comparison.html.j2",
        page="comparison",
        heading=make_comparison_header(comparison),
        rows=make_run_rows(runs, comparison, books, tearsheet_link),
        risk_free=comparison.risk_free_rate.as_risk_free,
        level=formatting.confidence_level(comparison.confidence),
        reference=comparison.labels[comparison.reference],
        settings=config_diff_table(comparison),
        chart=equity_chart(comparison.growth, chart_books),
        books=chart_books,
        sections=comparison_sections(comparison, books),
        origins=make_origin_rows(runs, comparison, books),
        missing=formatting.MISSING,
        resamples=formatting.COUNT(comparison.resamples),
        commands=_run_commands(runs),
        compare_command=f"backtest compare {' '.join(run.run_id for run in runs)}",
        chart_data=chart_data,
    )


def _run_commands(runs: Sequence[Run]) -> list[str]:
    """The commands that made the runs, without duplicates: one command may have made a sweep."""
    commands = (run.manifest.command for run in runs)
    return list(dict.fromkeys(command for command in commands if command))


def _relative_tearsheet_link(run: Run, folder: Path) -> str | None:
    """The address of a tearsheet relative to `folder`; None where it does not exist."""
    tearsheet = run.run_dir / f"{PAGES[0]}.html"
    if not tearsheet.is_file():
        return None
    relative_path = os.path.relpath(tearsheet.resolve(), folder.resolve()).replace(os.sep, "/")
    return quote(relative_path, errors="surrogateescape")

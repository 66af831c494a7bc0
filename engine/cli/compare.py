"""`backtest compare`: compares several runs on one page."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, limit_blas_threads
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISONS_FOLDER = "comparisons"


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run folders, or the first digits of run ids. The first run is the reference "
            "for the others.",
            autocompletion=completion.complete_runs,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Output folder. Default: a folder for these runs below comparisons/ in the "
            "folder of --reports.",
        ),
    ] = None,
    reports: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the runs, for run ids.")
    ] = Path("reports"),
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare runs on one page, and grade the best of them.

    On the bars that all runs have: Sharpe ratios with intervals, paired differences, tests that
    allow for the choice among the runs, correlations, and the settings that differ.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.cli.comparison_summary import comparison_document, render_comparison_text
        from engine.cli.text_table import output_width
        from engine.comparison import compare_opened_runs
        from engine.core.storage import translate_disk_faults
        from engine.core.writable import OutputPlace
        from engine.reporting.comparison import COMPARISON_FILE, write_comparison
        from engine.runs.run import Run

        opened = [Run.open(find_run_folder(reference, reports)) for reference in runs]
        folder = out or reports / COMPARISONS_FOLDER / comparison_id(
            [run.run_id for run in opened]
        )
        pages = OutputPlace("the pages", "name another folder with --out")
        pages.require_folder(folder, COMPARISON_FILE)
        result = compare_opened_runs(opened)
        with translate_disk_faults("the pages cannot be written", folder, pages.otherwise):
            page = write_comparison(opened, folder, result)
        if json:
            print_json(comparison_document(result, page))
        else:
            print_text(render_comparison_text(result, page, output_width()))


def comparison_id(run_ids: Sequence[str]) -> str:
    """12 hex digits that depend on the runs and their order."""
    return hashlib.sha256(" ".join(run_ids).encode()).hexdigest()[:12]

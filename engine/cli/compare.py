"""`backtest compare`: several runs on one page."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, limit_blas_threads
from engine.cli.run_lookup import find_run_folder, translate_write_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISONS_FOLDER = "comparisons"


def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run folders, or the first digits of run ids. The first one is the reference "
            "that the others are compared with.",
            autocompletion=completion.complete_runs,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the page goes. Default: a folder of these runs in comparisons/ beside "
            "the runs.",
        ),
    ] = None,
    reports: Annotated[
        Path, typer.Option(metavar="DIR", help="Where runs are looked for by their ids.")
    ] = Path("reports"),
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare runs on one page, and judge the best of them.

    On the bars that all runs have: Sharpe ratios with intervals, paired differences, whether any
    is better once all are counted, whether they do the same, and which settings differ.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine import comparison
        from engine.cli.comparison_summary import render_comparison_json, render_comparison_text
        from engine.cli.text_table import output_width, print_text
        from engine.reporting.comparison import write_comparison
        from engine.runs.run import Run

        opened = [Run.open(find_run_folder(named, reports)) for named in runs]
        found = comparison.compare_runs([comparison.load_compared_run(run) for run in opened])
        folder = out or reports / COMPARISONS_FOLDER / comparison_id(
            [run.run_id for run in opened]
        )
        with translate_write_errors(folder):
            page = write_comparison(opened, folder, found)
        if json:
            typer.echo(render_comparison_json(found, page))
        else:
            print_text(render_comparison_text(found, page, output_width()))


def comparison_id(run_ids: Sequence[str]) -> str:
    """12 hex digits: the same runs in the same order have the same page."""
    return hashlib.sha256(" ".join(run_ids).encode()).hexdigest()[:12]

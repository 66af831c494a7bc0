"""`backtest compare`: several runs on one page."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.failures import exit_codes
from engine.cli.options import Debug, Json, one_thread_a_process
from engine.cli.run_folders import run_folder, writing_to

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = "comparisons"


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run folders, or the first digits of run ids. The first one is the reference "
            "that the others are compared with.",
            autocompletion=completion.runs,
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
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare runs on one page, and judge the best of them.

    On the bars that all runs have: Sharpe ratios with intervals, paired differences, whether any
    is better once all are counted, whether they do the same, and which settings differ.
    """
    with exit_codes(debug=debug):
        one_thread_a_process()
        from engine.artifacts import Run
        from engine.cli.columns import room, show
        from engine.cli.comparison_summary import as_json, as_text
        from engine.evaluation import comparison
        from engine.reporting.comparison import write_comparison

        opened = [Run.open(run_folder(named, reports)) for named in runs]
        found = comparison.compare([comparison.candidate(run) for run in opened])
        folder = out or reports / FOLDER / folder_name([run.run_id for run in opened])
        with writing_to(folder):
            page = write_comparison(opened, folder, found)
        if json:
            typer.echo(as_json(found, page))
        else:
            show(as_text(found, page, room()))


def folder_name(run_ids: Sequence[str]) -> str:
    """12 hex digits: the same runs in the same order have the same page."""
    return hashlib.sha256(" ".join(run_ids).encode()).hexdigest()[:12]

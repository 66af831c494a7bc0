"""`backtest report`: writes the pages of a run from its folder, or serves an index of all runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, limit_blas_threads, whole_number
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_lines, print_notice


def report_command(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="A run folder, such as reports/<strategy>/<run id>, or the first digits of a "
            "run id.",
            autocompletion=completion.complete_runs,
        ),
    ] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve", help="Serve an index of all runs to browsers on this machine, until Ctrl-C."
        ),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(min=0, max=65_535),
            help="Port of --serve; 0 takes a free one.",
        ),
    ] = 8_642,
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    debug: DebugOption = False,
) -> None:
    """Write the pages of a run again, or serve an index of all runs.

    Needs the run folder only, wherever it was moved. --serve writes nothing: missing pages are
    rendered on request.
    """
    with handle_errors(debug=debug):
        from engine.core.errors import UsageError

        limit_blas_threads()
        if (run is None) != serve:
            raise UsageError(
                "RUN and --serve exclude each other" if serve else "no run is named",
                expected="RUN, or --serve",
                found="both" if serve else "neither",
                fix="backtest report reports/<strategy>/<run id>, or backtest report --serve",
            )
        if run is None:
            _serve_index(reports, port)
        else:
            _write_pages(find_run_folder(run, reports))


def _write_pages(folder: Path) -> None:
    from engine.core.storage import translate_disk_faults
    from engine.core.writable import OutputPlace
    from engine.evaluation.analysis import open_run
    from engine.reporting import write_pages
    from engine.runs.folder import PAGES

    run = open_run(folder)
    place = OutputPlace("the pages", "copy the folder to another place, and name that")
    files = [folder / f"{page}.html" for page in PAGES]
    for file in files:
        place.require_file(file)
    with translate_disk_faults("the pages cannot be written", folder, place.otherwise):
        write_pages(run, folder)
    print_lines(files)


def _serve_index(reports: Path, port: int) -> None:
    """Serves until Ctrl-C, the regular end: the exit code is 0."""
    from engine.comparison import compare_opened_runs
    from engine.evaluation.analysis import open_run
    from engine.reporting.index import IndexServer

    server = IndexServer(reports, open_run=open_run, compare=compare_opened_runs, port=port)
    print_lines([server.url])
    print_notice(f"serving the runs in {reports} to this machine only; Ctrl-C stops")
    try:
        server.serve()
    except KeyboardInterrupt:
        print_notice("stopped")
    finally:
        server.close()

"""`backtest report`: writes the pages of a run from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, limit_blas_threads
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_lines, print_notice


def _refuse_serving(given: object) -> None:
    if given:
        print_notice("error: `backtest report` serves no pages any more; use `backtest serve`")
        raise typer.Exit(2)


def report_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run folder, such as reports/<strategy>/<run id>, or the first digits of a "
            "run id.",
            autocompletion=completion.complete_runs,
        ),
    ],
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    debug: DebugOption = False,
    serve: Annotated[  # noqa: ARG001 - read by its callback
        bool, typer.Option("--serve", hidden=True, is_eager=True, callback=_refuse_serving)
    ] = False,
    port: Annotated[  # noqa: ARG001 - read by its callback
        str | None, typer.Option(hidden=True, is_eager=True, callback=_refuse_serving)
    ] = None,
) -> None:
    """Write the pages of a run again.

    Needs the run folder only, wherever it was moved. `backtest serve` shows the pages of all runs
    in a browser, and writes nothing.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        _write_pages(find_run_folder(run, reports))


def _write_pages(folder: Path) -> None:
    from engine.core.storage import translate_disk_faults
    from engine.core.writable import OutputPlace
    from engine.evaluation.analysis import open_run
    from engine.reporting import write_pages
    from engine.runs.folder import PAGES
    from engine.runs.sums import SIGNATURE_FILE, SUMS_FILE, renew_sums

    run = open_run(folder)
    place = OutputPlace("the pages", "copy the folder to another place, and name that")
    files = [folder / f"{page}.html" for page in PAGES]
    for file in files:
        place.require_file(file)
    with translate_disk_faults("the pages cannot be written", folder, place.otherwise):
        write_pages(run, folder)
        renewed = renew_sums(folder, [file.name for file in files])
    if renewed and (folder / SIGNATURE_FILE).exists():
        print_notice(
            f"{SIGNATURE_FILE} is of the pages before, and {SUMS_FILE} has the hashes of the new "
            "ones: sign the folder again"
        )
    print_lines(files)

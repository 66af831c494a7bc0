"""`backtest interpret`: what the forecasts of a run depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, QuietOption, limit_blas_threads
from engine.cli.progress import stderr_progress
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_json, print_lines, print_text

if TYPE_CHECKING:
    from engine.interpretation import InterpretedRun


def interpret_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run folder, such as reports/<strategy>/<run id>, or the first digits of a "
            "run id.",
            autocompletion=completion.complete_runs,
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Explain the forecast of this bar too, such as 2018-06-04 (UTC).",
        ),
    ] = None,
    symbol: Annotated[
        str | None,
        typer.Option(
            "--symbol",
            metavar="S",
            help="Explain the forecasts of this symbol alone. Default: all that the run trades, "
            "or eight of them.",
        ),
    ] = None,
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain which inputs and bars the forecasts of a run depend on.

    Works on the stored fits of the run (BACKTEST_HOME) and trains nothing. Writes
    interpretation.json, attributions.parquet and the page interpretation.html into the run folder,
    and draws its other pages again.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.cli.run_pages import draw_pages
        from engine.evaluation.analysis import open_run
        from engine.interpretation import interpret
        from engine.runs.folder import INTERPRETATION

        folder = find_run_folder(run, reports)
        opened = open_run(folder)
        with stderr_progress(quiet=quiet) as progress:
            found = interpret(opened, at=_parse_time(at), symbol=symbol, progress=progress)
        files = _write(found, folder)
        drawn = draw_pages(replace(opened, interpretation=found.document), folder)
        files += [file for file in drawn if file.stem == INTERPRETATION]
        if json:
            print_json(found.document.as_dict())
        else:
            from engine.cli.interpretation_summary import render_interpretation_text

            print_text(f"{render_interpretation_text(found.document)}\n")
            print_lines(files)


def _parse_time(text: str | None) -> str | None:
    import pandas as pd

    from engine.core.errors import UsageError

    if text is None:
        return None
    try:
        pd.Timestamp(text)
    except ValueError as error:
        raise UsageError(
            "the time of a bar cannot be read",
            expected="a date or a time, such as 2018-06-04 or 2018-06-04T15:30",
            found=text,
            where="--at",
        ) from error
    return text


def _write(found: InterpretedRun, folder: Path) -> list[Path]:
    from engine.cli.run_pages import note_hashes
    from engine.core.storage import translate_disk_faults, write_file
    from engine.core.writable import OutputPlace
    from engine.runs.folder import ATTRIBUTIONS, INTERPRETATION

    place = OutputPlace("the interpretation", "copy the folder to another place, and name that")
    files = [folder / f"{INTERPRETATION}.json", folder / f"{ATTRIBUTIONS}.parquet"]
    for file in files:
        place.require_file(file)
    with translate_disk_faults("the interpretation cannot be written", folder, place.otherwise):
        write_file(files[0], found.document.to_json())
        found.table.to_parquet(files[1])
        note_hashes(folder, files)
    return files

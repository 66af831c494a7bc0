"""`backtest replicate`: repeats the experiments of a publication."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.cli.errors import INTERRUPTED_FITS_STORED, handle_errors
from engine.cli.options import (
    DebugOption,
    FreshOption,
    JsonOption,
    QuietOption,
    WorkersOption,
    limit_blas_threads,
    whole_number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_text


def replicate_command(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The publication; available: livieris2021.")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the authors' closes (BTC.csv, ETH.csv, XRP.csv) and of the printed "
            "figures (published_tables.json).",
        ),
    ] = None,
    runs: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(min=1),
            help="Fits of each network, each with its own seed.",
        ),
    ] = 10,
    scaling: Annotated[
        Literal["train", "refit-on-test"],
        typer.Option(
            help="Rows from which the scaling is computed. refit-on-test LEAKS: it is what the "
            "published code of the authors does."
        ),
    ] = "train",
    backend: Annotated[
        Literal["tensorflow", "jax"], typer.Option(help="Backend of Keras.")
    ] = "tensorflow",
    workers: WorkersOption = None,
    fresh: FreshOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Repeat a publication and compare its tables with ours.

    Every fit is stored: an interrupted replication continues where it stopped, and a second call
    trains nothing.

    Progress goes to stderr, the tables to stdout. Exit codes: 0 done, 2 the command line is
    wrong, 3 data missing or not the paper's, 5 a fit failed, 130 interrupted.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_FITS_STORED):
        limit_blas_threads()
        from engine.core.errors import UsageError
        from engine.replication import find_replication

        replication = find_replication(name)
        if data is None:
            raise UsageError(
                "the data of the publication is not part of the engine",
                expected="--data DIR",
                found="no --data",
                fix=f"backtest replicate {name} --data DIR",
            )
        with stderr_progress(quiet=quiet) as progress:
            result = (context.obj or replication.replicate)(
                data,
                runs=runs,
                scaling=scaling,
                backend=backend,
                workers=workers,
                fresh=fresh,
                progress=progress,
            )
        if json:
            print_json(result.as_json())
        else:
            print_text(replication.render(result))

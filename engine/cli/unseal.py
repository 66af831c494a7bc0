"""`backtest unseal`: looks at the holdout of a strategy, and records that it did."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import INTERRUPTED_FITS_STORED, handle_errors
from engine.cli.options import (
    DataOption,
    DebugOption,
    JsonOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    VintageOption,
    WorkersOption,
    limit_blas_threads,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import ask, print_json, print_text

if TYPE_CHECKING:
    from engine.runs.run import Run


def unseal_command(
    strategy: Annotated[Path, typer.Argument(metavar="STRATEGY", help="A strategy file.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Look without being asked on the terminal.")
    ] = False,
    data: DataOption = None,
    set_: OverridesOption = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the runs: DIR/<strategy>/<run id>/.")
    ] = Path("reports"),
    workers: WorkersOption = None,
    offline: OfflineOption = False,
    vintage: VintageOption = None,
    no_pages: Annotated[bool, typer.Option("--no-pages", help="Write no pages.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Look once at the bars that a holdout keeps unseen.

    `windows: {holdout: 1y}` keeps them from every other run. This is a run over all bars, whose
    significance page has the figures of the holdout alone. The look is written into the ledger
    before any model is fitted, and every later page of this idea tells it; a second look is no
    test any more.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_FITS_STORED):
        limit_blas_threads()
        from engine import backtest
        from engine.config import parse_overrides

        overrides = parse_overrides(set_ or ())
        _confirm(yes=yes)
        with stderr_progress(quiet=quiet) as progress:
            made = backtest.run(
                strategy,
                overrides=overrides,
                data=data,
                offline=offline,
                vintage=vintage,
                out=out,
                workers=workers,
                pages=not no_pages,
                progress=progress,
                command=shlex.join(["backtest", *sys.argv[1:]]),
                unseal=True,
            )
        _print_run(made, as_json=json)


def _confirm(*, yes: bool) -> None:
    from engine.core.errors import UsageError

    if yes or ask("The holdout can be looked at for the first time only once. Look?"):
        return
    raise UsageError(
        "the holdout stays sealed",
        expected="`y` on the terminal, or --yes",
        found="neither",
        where="backtest unseal",
        fix="give --yes where nobody can be asked",
    )


def _print_run(run: Run, *, as_json: bool) -> None:
    from engine.cli import run_summary

    if as_json:
        print_json(run_summary.run_document(run))
    else:
        print_text(run_summary.render_run_text(run, coloured=True))

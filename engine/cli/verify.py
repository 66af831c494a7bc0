"""`backtest verify`: checks a run folder against itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, QuietOption, limit_blas_threads
from engine.cli.progress import stderr_progress
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_json, print_lines

if TYPE_CHECKING:
    from engine.verification.result import StepResult, Verification


def verify_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run folder, such as reports/<strategy>/<run id>, or the first digits of a "
            "run id.",
            autocompletion=completion.complete_runs,
        ),
    ],
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Make the whole run again from its stored bars, too, and compare every table and "
            "document. Needs the versions that made it.",
        ),
    ] = False,
    signer: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The public key that has to have signed it, such as key.pub."
        ),
    ] = None,
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Check that a run folder is as the engine wrote it.

    Compares the hash of every file; steps over every bar of every book again; makes the figures
    from returns, fills and forecasts again, intervals and tests from the returns, the verdict from
    the evidence. Ends with exit code 1 at the first difference; every step is made all the same.
    Needs the run folder only, wherever it was moved.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.verification import verify

        with stderr_progress(quiet=quiet) as progress:
            folder = find_run_folder(run, reports)
            found = verify(folder, again=again, signer=signer, progress=progress)
        if json:
            print_json(found.as_dict())
        else:
            print_lines(_describe(found))
        _require_intact(found)


def _describe(found: Verification) -> list[str]:
    return [f"run {found.run_id or 'unknown'} in {found.run_dir}", *map(_line, found.steps)]


def _line(step: StepResult) -> str:
    told = step.difference.sentence if step.difference else step.compared
    return f"{step.name:<13} {step.status:<12} {told}"


def _require_version(found: Verification) -> None:
    """Ends with exit code 2 where another version is needed to tell."""
    from engine.core.errors import UsageError

    step = next((step for step in found.steps if step.other_version), None)
    if step is not None:
        raise UsageError(
            f"this version cannot check the {step.name} of that run",
            expected="the version of the engine that made it",
            found=step.other_version,
            where=found.run_dir,
            fix="install the `backtest-engine` under `versions` of its manifest",
        )


def _require_intact(found: Verification) -> None:
    from engine.core.errors import VerificationError

    difference = found.first_difference
    if difference is None:
        _require_version(found)
        return
    place = " at ".join(filter(None, (difference.column, difference.bar)))
    raise VerificationError(
        f"the run folder is not as the engine wrote it: {difference.file}",
        expected=difference.expected,
        found=difference.found or difference.problem,
        where=": ".join(filter(None, (place, difference.problem))),
        fix="take it from a copy that was not changed, or run the strategy again",
    )

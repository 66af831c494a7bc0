"""`verify`: a run folder checked against itself, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import BacktestError, StrategyError, UsageError
from engine.core.progress import NullProgress, Progress
from engine.runs.run import Run
from engine.verification.books import check_books
from engine.verification.certificate import check_certificate
from engine.verification.figures import check_figures
from engine.verification.files import check_files, check_inputs, check_sums_are_there
from engine.verification.result import RunDifference, StepResult, Verification
from engine.verification.signature import check_signature
from engine.verification.significance import check_significance
from engine.verification.stored_run import StoredRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.verification.books import FoldedAccount

STAGES = {
    "inputs": (),
    "books": ("signals", "simulation"),
    "figures": ("signals", "simulation", "evaluation"),
    "significance": ("signals", "simulation", "evaluation", "trials"),
    "certificate": ("leakage",),
}
"""Step -> the stages of the engine whose numbers it makes again."""

_FAULTS = (BacktestError, KeyError, ValueError, TypeError, IndexError, AttributeError)
"""What tables and documents raise that are not those of a run."""


def verify(
    run_dir: Path | str,
    *,
    again: bool = False,
    signer: Path | str | None = None,
    home: Path | str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Checks that a run folder is as the engine wrote it, and that its figures are of its tables.

    The steps: `files` (the hash of each), `inputs` (strategy, bars, windows, run id), `books`
    (every book again from positions and bars), `figures` (from returns, fills and forecasts),
    `significance` (from returns and evidence), `certificate` (its counts). A step after the first
    one that differs is made all the same, where the folder can be read.

    Args:
        run_dir: The folder.
        again: Make the whole run again from the stored bars, too, and compare every table and
            document.
        signer: File of the public key that has to have signed the folder; without it a signature
            is checked with the key beside it, of which nothing is known.
        home: Folder with the trial ledger that the run counted in, for `again`; by default
            BACKTEST_HOME, or `.backtest` in the working directory.
        progress: Receives stages and progress.

    Raises:
        UsageError: The signer is no public key; the folder is no run folder, a newer engine wrote
            it, or this installation lacks a part of its strategy; with `again`, it has other
            versions than the run.
    """
    folder, reporter = Path(run_dir), progress or NullProgress()
    _require_folder(folder)
    reporter.stage("files")
    files = check_files(folder)
    signature = check_signature(folder, None if signer is None else Path(signer))
    signed = [] if signature is None else [signature]
    try:
        run = Run.open(folder)
    except BacktestError as error:
        if files.status != "differs":
            raise
        unreadable = _unreadable("inputs", error)
        return Verification("", str(folder), (files, *signed, unreadable))
    stored = StoredRun(run)
    stored.spec  # noqa: B018 - an installation that lacks a part of it is told before all else
    if missing := check_sums_are_there(stored):
        files = StepResult("files", "differs", "", missing)
    steps = [files, *signed, *_check_content(stored, reporter)]
    if again:
        from engine.verification.again import check_again

        steps.append(check_again(stored, home, reporter))
    return Verification(run.run_id, str(folder), tuple(steps))


def _check_content(stored: StoredRun, progress: Progress) -> list[StepResult]:
    """The steps about what the files say; those that need the market, where it can be restored."""
    accounts: Mapping[str, FoldedAccount] = {}

    def books() -> StepResult:
        nonlocal accounts
        result, accounts = check_books(stored, progress)
        return result

    steps: list[tuple[str, Callable[[], StepResult]]] = [
        ("inputs", lambda: check_inputs(stored)),
        ("books", books),
        ("figures", lambda: check_figures(stored, accounts)),
        ("significance", lambda: check_significance(stored, accounts)),
        ("certificate", lambda: check_certificate(stored)),
    ]
    if not stored.is_current:
        try:
            stored.market  # noqa: B018 - an earlier version may have kept too little of it
        except UsageError as error:
            told = f"an earlier version kept too little: {error.found}"
            return [StepResult(name, "not checked", told) for name, _ in steps]
    done = []
    for name, check in steps:
        progress.stage(name)
        if name in {"figures", "significance"} and set(accounts) != set(stored.books):
            done.append(
                StepResult(name, "not checked", "the books differ, which they are made of")
            )
            continue
        try:
            found = check()
        except StrategyError:
            raise
        except _FAULTS as error:
            found = _unreadable(name, error)
        done.append(_excuse(found, stored.other_versions(STAGES[name])))
    return done


def _excuse(found: StepResult, other_versions: str) -> StepResult:
    """A difference to a run of another version of the stage says nothing of the folder."""
    if found.difference is None or not other_versions:
        return found
    told = (
        f"another version of the engine made it ({other_versions}), and this one finds other "
        f"values: {found.difference.sentence}"
    )
    return StepResult(found.name, "not checked", told, other_version=other_versions)


def _unreadable(name: str, error: Exception) -> StepResult:
    """A step whose tables or documents are not those of a run."""
    if isinstance(error, BacktestError):
        problem, found, where = error.problem, error.found or "", error.where or ""
    else:
        problem, found, where = "the step cannot be made", f"{type(error).__name__}: {error}", ""
    difference = RunDifference(
        "the run folder", problem, where, found=found.splitlines()[0] if found else ""
    )
    return StepResult(name, "differs", "", difference)


def _require_folder(folder: Path) -> None:
    if not (folder / "manifest.json").is_file() and not (folder / "SHA256SUMS").is_file():
        raise UsageError(
            "this is not a run folder",
            expected="a folder with manifest.json, as `backtest run` writes it",
            found=str(folder),
            fix="name a folder such as reports/<strategy>/<run_id>",
        )

"""The step `again`: the whole run from its stored bars, compared byte for byte."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from engine.backtest.runner import repeat_run
from engine.core.errors import BacktestError, UsageError
from engine.core.home import LEDGER_FILE, backtest_home
from engine.core.json_text import parse_json
from engine.core.part_origin import describe_parts
from engine.core.versions import collect_versions
from engine.runs.documents.base import read_document_text
from engine.runs.sums import hash_file
from engine.trials.earlier_ledger import copy_earlier_ledger
from engine.trials.repeated_entry import RepeatedEntry
from engine.verification.compare import compare_documents, compare_tables
from engine.verification.result import RunDifference, StepResult
from engine.verification.significance import FILE as SIGNIFICANCE_FILE
from engine.verification.significance import OF_DECLARATIONS, OF_THE_LEDGER

if TYPE_CHECKING:
    from engine.core.progress import Progress
    from engine.pipeline.stored_run import StoredRun

OF_THE_PROCESS = frozenset(
    (
        *("timings_s", "started_at", "machine", "command", "fits", "strategy_file", "ledger"),
        *("forecast_ms", "family"),
    )
)
"""Keys of a manifest that say when, where and how a run was made."""


def check_again(stored: StoredRun, home: Path | str | None, progress: Progress) -> StepResult:
    """Makes the run again, and compares every table and document.

    Args:
        stored: The run.
        home: Folder with the ledger that it counted in.
        progress: Receives stages and progress.

    Raises:
        UsageError: Versions, parts or files of rates are not those of the run.
    """
    _require_same_versions(stored)
    _require_rate_files(stored)
    noted = stored.run.manifest.ledger
    with TemporaryDirectory(prefix="backtest-verify-") as name:
        place = Path(name)
        ledger = None
        if noted is not None:
            own = backtest_home(home) / LEDGER_FILE
            copy = place / "ledger.sqlite"
            ledger = copy if copy_earlier_ledger(own, noted.hash, copy) else None
        record = RepeatedEntry(dict(stored.run.manifest.strategy), ledger)
        try:
            made = repeat_run(
                stored.spec,
                stored.market,
                record,
                out=place / "reports",
                home=place / "home",
                progress=progress,
            )
        except BacktestError as error:
            fault = RunDifference("the run folder", error.problem, found=error.found or "")
            return StepResult("again", "differs", "the run ended with an error", fault)
        counted = ledger is not None or stored.run.significance.trials is None
        difference, files = _compare_folders(stored.run.run_dir, made.run_dir, counted=counted)
    told = f"{files} tables and documents, all stages from the stored bars"
    if not counted:
        told += (
            f"; {', '.join(OF_THE_LEDGER)} of {SIGNIFICANCE_FILE} are not compared: no ledger "
            "here has the looks that the run counted"
        )
    return StepResult.of("again", told, difference)


def _compare_folders(
    stored: Path, made: Path, *, counted: bool
) -> tuple[RunDifference | None, int]:
    """The first table or document that is another, and how many were compared."""
    names = sorted(
        path.name
        for folder in (stored, made)
        for path in folder.iterdir()
        if path.suffix in {".parquet", ".json"}
    )
    unique = list(dict.fromkeys(names))
    for name in unique:
        one, two = made / name, stored / name
        if not one.is_file() or not two.is_file():
            what = "the file was removed" if one.is_file() else "a file that the run has not"
            return RunDifference(name, what), len(unique)
        if difference := _compare_file(name, one, two, counted=counted):
            return difference, len(unique)
    return None, len(unique)


def _compare_file(name: str, made: Path, stored: Path, *, counted: bool) -> RunDifference | None:
    if hash_file(made) == hash_file(stored):
        return None
    if name.endswith(".parquet"):
        return _compare_table_files(name, made, stored)
    left_out = OF_THE_PROCESS if name == "manifest.json" else frozenset()
    if name == SIGNIFICANCE_FILE and not counted:
        left_out = frozenset((*OF_THE_LEDGER, *OF_DECLARATIONS))
    expected, found = (_read_document(path, left_out) for path in (made, stored))
    if expected == found and left_out:
        return None
    return compare_documents(name, expected, found) or RunDifference(
        name, "other bytes, with figures that are equal within rounding"
    )


def _compare_table_files(name: str, made: Path, stored: Path) -> RunDifference | None:
    """Tables with equal values and other bytes are of another version of pyarrow, or changed."""
    expected, found = pd.read_parquet(made), pd.read_parquet(stored)
    bar = "timestamp" if "timestamp" in expected else None
    if difference := compare_tables(name, expected, found, bar=bar, exact=True):
        return difference
    writers = {pq.read_metadata(path).created_by for path in (made, stored)}
    return None if len(writers) > 1 else RunDifference(name, "other bytes, with the same values")


def _read_document(path: Path, left_out: frozenset[str]) -> dict[str, Any]:
    content = parse_json(read_document_text(path))
    return {key: value for key, value in content.items() if key not in left_out}


def _require_same_versions(stored: StoredRun) -> None:
    spec, manifest = stored.spec, stored.run.manifest
    own = collect_versions(spec.compute.backend, spec.libraries) | describe_parts(spec)
    parts = {
        part.name: f"{part.distribution} {part.version} {part.source_sha256}".strip()
        for part in manifest.parts
    }
    noted = {**manifest.versions, **parts}
    other = [name for name in sorted({*own, *noted}) if own.get(name) != noted.get(name)]
    if not other:
        return
    raise UsageError(
        "the run cannot be made again with these versions",
        expected=", ".join(f"{name} {noted.get(name, 'none')}" for name in other),
        found=", ".join(f"{name} {own.get(name, 'none')}" for name in other),
        where="--again",
        fix="install the versions of the manifest, or leave --again out",
    )


def _require_rate_files(stored: StoredRun) -> None:
    for key, record in stored.run.manifest.rate_files.items():
        path = Path(record.path)
        found = hash_file(path) if path.is_file() else "no file"
        if found != record.sha256:
            raise UsageError(
                "the run cannot be made again without its interest rates",
                expected=f"the file {path} with the SHA-256 {record.sha256[:12]}",
                found=found[:12],
                where=key,
                fix="put the file there, or leave --again out",
            )

"""The steps `files` and `inputs`: hashes of the files, and what the run was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from engine.core.errors import UsageError
from engine.core.versions import collect_versions
from engine.data.market import symbol_provenance
from engine.pipeline.run_identity import identify_run
from engine.runs.sums import SUMS_FILE, find_file_differences, read_sums
from engine.verification.compare import compare_documents, compare_tables, first, first_of
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import BarsFrame
    from engine.data.calendar import BarInterval
    from engine.data.market import Market
    from engine.runs.documents.manifest_dataset import SymbolRecord
    from engine.verification.stored_run import StoredRun

_PROBLEMS = {
    "changed": "another file than the one that was written",
    "removed": "the file was removed",
    "added": "a file that the engine did not write",
    "unreadable": "no regular file",
}


def check_files(folder: Path) -> StepResult:
    """Whether the hash of every file is the noted one, and none is missing or added."""
    if not (folder / SUMS_FILE).exists():
        return StepResult(
            "files", "not checked", f"no {SUMS_FILE}: an earlier version wrote the folder"
        )
    try:
        differences = find_file_differences(folder)
    except UsageError as error:
        return StepResult(
            "files", "differs", "", RunDifference(SUMS_FILE, error.found or f"{error}")
        )
    compared = f"{len(read_sums(folder))} files have the hashes of {SUMS_FILE}"
    if not differences:
        return StepResult("files", "ok", compared)
    name, kind, expected, found = differences[0]
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    difference = RunDifference(
        name, f"{_PROBLEMS[kind]}{more}", expected=_shorten(expected), found=_shorten(found)
    )
    return StepResult("files", "differs", compared, difference)


def check_sums_are_there(stored: StoredRun) -> RunDifference | None:
    """A folder of a version that writes hashes has them."""
    if not stored.is_current or (stored.run.run_dir / SUMS_FILE).exists():
        return None
    return RunDifference(SUMS_FILE, "the file was removed")


def check_inputs(stored: StoredRun) -> StepResult:
    """Whether strategy, bars and windows are those that the manifest and the run id name."""
    difference = first_of(
        lambda: _check_bars(stored),
        lambda: _check_strategy(stored),
        lambda: _check_windows(stored),
        lambda: _check_run_id(stored),
    )
    told = "strategy, bars and windows are those of the manifest"
    same = _versions_of_stages(stored) == _versions_of_stages(None)
    told += ", and of the run id" if same else "; the run id is of another version of the engine"
    return StepResult.of("inputs", told, difference)


def _check_bars(stored: StoredRun) -> RunDifference | None:
    """The hash of each symbol's bars; and that joined bars are those of their sources."""
    dataset, market = stored.run.manifest.dataset, stored.market
    frames = market.bars_by_symbol
    noted = {f"dataset.symbols.{name}": (name, each) for name, each in dataset.symbols.items()}
    if market.assembly is not None:
        if market.assembly.panel:
            frames = {name: market.assembly.frames[name] for name in market.symbols}
        rates = dataset.exchanges.rates if dataset.exchanges else {}
        noted |= {
            f"dataset.exchanges.rates.{c}.bars": (e.symbol, e.bars) for c, e in rates.items()
        }
        frames = {**market.assembly.frames, **frames}
    difference = first(
        _check_record(path, frames.get(name), record, market.interval)
        for path, (name, record) in noted.items()
    )
    return difference or _check_join(market) or _check_funding(stored)


def _check_record(
    path: str, bars: BarsFrame | None, record: SymbolRecord, interval: str
) -> RunDifference | None:
    if bars is None:
        return RunDifference("bars.parquet", "no bars of a symbol", path)
    columns = bars if "timestamp" in bars else bars.reset_index()
    made = symbol_provenance(columns, "", cast("BarInterval", interval))
    own = record.as_dict()
    keys = [key for key in ("rows", "first", "last", "sha256") if key in own]
    expected, found = ({key: each[key] for key in keys} for each in (made, own))
    return compare_documents("manifest.json", expected, found, path)


def _check_join(market: Market) -> RunDifference | None:
    if market.assembly is None:
        return None
    last = market.bars["timestamp"].iloc[-1]
    joined, _ = market.assembly.join()
    expected = joined[joined["timestamp"] <= last].reset_index(drop=True)
    return compare_tables("bars.parquet", expected, market.bars, exact=True)


def _check_funding(stored: StoredRun) -> RunDifference | None:
    market, noted = stored.market, stored.run.manifest.dataset.funding
    expected = {} if market.funding is None else market.funding.as_json()
    found = {name: each.as_dict() for name, each in noted.items()}
    return compare_documents("manifest.json", expected, found, "dataset.funding")


def _check_strategy(stored: StoredRun) -> RunDifference | None:
    """Only of the same version: another one may resolve further defaults."""
    if _versions_of_stages(stored) != _versions_of_stages(None):
        return None
    resolved = stored.spec.model_dump(mode="json")
    manifest = stored.run.manifest
    return first_of(
        lambda: compare_documents(
            "manifest.json", resolved, manifest.as_dict()["strategy"], "strategy"
        ),
        lambda: compare_documents(
            "manifest.json", list(stored.prepared.targets), list(manifest.target), "target"
        ),
    )


def _check_windows(stored: StoredRun) -> RunDifference | None:
    """Only of the same version of the stages that lay them."""
    if stored.other_versions(("features", "splits")):
        return None
    stamps = stored.prepared.feature_history.features.timestamps

    def part(rows: range) -> list[str]:
        return [stamps[rows[0]].isoformat(), stamps[rows[-1]].isoformat()]

    parts = ("train", "validation", "test")
    expected = [
        {"index": window.index} | {name: part(getattr(window, name)) for name in parts}
        for window in stored.prepared.windows
    ]
    found = [
        {key: each.as_dict()[key] for key in ("index", *parts)}
        for each in stored.run.manifest.windows
    ]
    return compare_documents("manifest.json", expected, found, "windows")


def _check_run_id(stored: StoredRun) -> RunDifference | None:
    """The run id, from the strategy, the bars and the versions of the manifest."""
    manifest = stored.run.manifest
    if _versions_of_stages(stored) != _versions_of_stages(None) or manifest.rate_files:
        return None
    parts = {
        part.name: f"{part.distribution} {part.version} {part.source_sha256}".strip()
        for part in manifest.parts
    }
    expected = identify_run(stored.spec, stored.prepared, {**manifest.versions, **parts})
    return compare_documents("manifest.json", expected, manifest.run_id, "run_id")


def _versions_of_stages(stored: StoredRun | None) -> tuple[str | None, ...]:
    """Of the engine and of its stages: of a run, or of today."""
    versions = collect_versions("numpy") if stored is None else stored.run.manifest.versions
    return versions.get("backtest-engine"), versions.get("stages")


def _shorten(digest: str | None) -> str:
    return "" if digest is None else digest[:12]

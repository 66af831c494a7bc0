"""The runs below a folder, whole ones and damaged ones."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.comparison.page import COMPARISON_FILE
from engine.runs.folder import DOCUMENTS, OPTIONAL_DOCUMENTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUN_ID_PATTERN = re.compile(r"[0-9a-f]{12}")
UNFINISHED_FOLDER_PATTERN = re.compile(r"\.([0-9a-f]{12})\.[0-9]+")
"""What a run's folder is called while it is written; see `artifacts.whole_or_absent`."""

REQUIRED_FILES = (
    "manifest.json",
    *(f"{name}.json" for name in DOCUMENTS if name not in OPTIONAL_DOCUMENTS),
    *(f"{name}.parquet" for name in TABLES),
)


@dataclass(frozen=True)
class RunSummary:
    """What the index tells of a run; None where a figure does not exist.

    Attributes:
        run_id: Its id.
        name: Of the strategy.
        symbols: What was traded.
        dataset: Which bars.
        offline: Whether the offline dataset stood in.
        first: First out-of-sample bar.
        last: The last one.
        sharpe: Of the strategy, a year.
        sharpe_low: Lower end of its interval.
        sharpe_high: Upper end.
        opponent: The opponent with the highest Sharpe ratio; empty where there is none.
        opponent_sharpe: Its Sharpe ratio.
        total_return_pct: Over the span, after costs.
        max_drawdown_pct: The deepest.
        grade: Of the evidence.
        cutoff_count: At how many bars the certificate looked for look-ahead; None without
            certificate.
        started_at: UTC, ISO 8601.
    """

    run_id: str
    name: str
    symbols: str
    dataset: str
    offline: bool
    first: str
    last: str
    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    opponent: str
    opponent_sharpe: float | None
    total_return_pct: float | None
    max_drawdown_pct: float | None
    grade: str
    cutoff_count: int | None
    started_at: str


@dataclass(frozen=True)
class RunEntry:
    """A folder of a run, or what is left of one.

    Attributes:
        folder: Where it is.
        relative_path: `<strategy>/<run id>`, as below the folder of all runs.
        summary: What is in it; None where it is damaged.
        problem: What is wrong with it; empty of a whole one.
    """

    folder: Path
    relative_path: str
    summary: RunSummary | None = None
    problem: str = ""


@dataclass(frozen=True)
class ComparisonEntry:
    """A page that compares runs.

    Attributes:
        page: The file.
        relative_path: Its folder, as below the folder of all runs.
        modified_at: When, UTC.
    """

    page: Path
    relative_path: str
    modified_at: datetime


def list_runs(reports: Path) -> list[RunEntry]:
    """Every run below `reports`, the last one first, then what is damaged or half written.

    A folder two levels down is one if it has a manifest, or is called like a run and has some part
    of one. Links that lead out of `reports` are not followed.
    """
    found = [read_run_entry(folder, reports) for folder in list_run_folders(reports).values()]
    whole = [entry for entry in found if entry.summary]
    damaged = [entry for entry in found if not entry.summary]
    whole.sort(key=lambda entry: entry.summary.started_at if entry.summary else "", reverse=True)
    return whole + sorted(damaged, key=lambda entry: entry.relative_path)


def list_comparisons(reports: Path) -> list[ComparisonEntry]:
    """Every page that compares runs, the last one first."""
    found = [
        ComparisonEntry(
            page, page.parent.relative_to(reports).as_posix(), _utc_minute(page.stat().st_mtime)
        )
        for page in reports.glob(f"*/*/{COMPARISON_FILE}")
        if page.is_file() and is_inside(page, reports)
    ]
    return sorted(found, key=lambda each: each.modified_at, reverse=True)


def _utc_minute(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(second=0, microsecond=0)


def read_run_entry(folder: Path, reports: Path) -> RunEntry:
    """What is in one folder of a run; never an error, whatever is in it."""
    address = folder.relative_to(reports).as_posix()
    if draft := UNFINISHED_FOLDER_PATTERN.fullmatch(folder.name):
        told = f"run {draft[1]} is being written, or was killed while it was"
        return RunEntry(folder, address, problem=told)
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        return RunEntry(folder, address, problem=f"half of a run: {', '.join(missing)} missing")
    try:
        return RunEntry(folder, address, _read_summary(folder))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        return RunEntry(folder, address, problem=f"damaged: {type(error).__name__}: {error}"[:300])


def is_inside(path: Path, reports: Path) -> bool:
    """Whether a path, all links followed, lies below `reports`."""
    return path.resolve().is_relative_to(reports.resolve())


def list_run_folders(reports: Path) -> dict[str, Path]:
    """Every folder that `list_runs` tells of, by its address; nothing in them is read."""
    return {
        folder.relative_to(reports).as_posix(): folder for folder in _iter_run_folders(reports)
    }


def _iter_run_folders(reports: Path) -> Iterator[Path]:
    groups = sorted(reports.iterdir()) if reports.is_dir() else []
    for group in groups:
        if group.name.startswith(".") or not (group.is_dir() and is_inside(group, reports)):
            continue
        for folder in sorted(group.iterdir()):
            if _looks_like_run(folder) and folder.is_dir() and is_inside(folder, reports):
                yield folder


def _looks_like_run(folder: Path) -> bool:
    if UNFINISHED_FOLDER_PATTERN.fullmatch(folder.name) or (folder / "manifest.json").exists():
        return True
    called = bool(RUN_ID_PATTERN.fullmatch(folder.name))
    return called and any((folder / name).exists() for name in REQUIRED_FILES)


def _read_summary(folder: Path) -> RunSummary:
    manifest, metrics, significance = (
        _read_json_object(folder / f"{name}.json")
        for name in ("manifest", "metrics", "significance")
    )
    certificate = folder / "certificate.json"
    books, dataset = metrics["books"], manifest["dataset"]
    mine, interval = books[STRATEGY], significance["sharpe"].get(STRATEGY) or {}
    opponent, best = _best_opponent(books)
    return RunSummary(
        run_id=str(manifest["run_id"]),
        name=str(manifest["strategy_name"]),
        symbols=", ".join(map(str, manifest["target"])),
        dataset=str(dataset.get("name")),
        offline=bool(dataset.get("offline")),
        first=formatting.timestamp(metrics["span"]["first"]),
        last=formatting.timestamp(metrics["span"]["last"]),
        sharpe=_optional_float(mine.get("sharpe")),
        sharpe_low=_optional_float(interval.get("low")),
        sharpe_high=_optional_float(interval.get("high")),
        opponent=opponent,
        opponent_sharpe=best,
        total_return_pct=_optional_float(mine.get("total_return_pct")),
        max_drawdown_pct=_optional_float(mine.get("max_drawdown_pct")),
        grade=str(significance["verdict"]["grade"]),
        cutoff_count=len(_read_json_object(certificate)["cuts"])
        if certificate.is_file()
        else None,
        started_at=formatting.timestamp(manifest.get("started_at")),
    )


def _read_json_object(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise TypeError(f"{path.name} is no JSON object")
    return found


def _best_opponent(books: Mapping[str, Mapping[str, Any]]) -> tuple[str, float | None]:
    known = {
        str(name): ratio
        for name, figures in books.items()
        if name != STRATEGY and (ratio := _optional_float(figures.get("sharpe"))) is not None
    }
    if not known:
        return "", None
    best = max(known, key=lambda name: known[name])
    return best, known[best]


def _optional_float(value: object) -> float | None:
    """A figure as it stands in a document; anything else is an error."""
    return None if value is None else float(value)  # type: ignore[arg-type]

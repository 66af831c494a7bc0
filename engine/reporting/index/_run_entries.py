"""Lists the runs and the comparison pages below a folder, damaged runs included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from engine.core.errors import UsageError
from engine.core.name_lists import list_symbols
from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.comparison import COMPARISON_FILE
from engine.runs.documents import Certificate, Document, Manifest, Metrics, Significance
from engine.runs.documents.base import read_document_text
from engine.runs.documents.significance import SharpeFigures
from engine.runs.folder import DOCUMENTS, OPTIONAL_DOCUMENTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.runs.documents.metrics import BookMetrics

_AnyDocument = TypeVar("_AnyDocument", bound=Document)

RUN_ID_PATTERN = re.compile(r"[0-9a-f]{12}")
UNFINISHED_FOLDER_PATTERN = re.compile(r"\.([0-9a-f]{12})\.[0-9]+")
"""Name of a run's folder while it is written; see `runs.folder.atomic_directory`."""

REQUIRED_FILES = (
    "manifest.json",
    *(f"{name}.json" for name in DOCUMENTS if name not in OPTIONAL_DOCUMENTS),
    *(f"{name}.parquet" for name in TABLES),
)


@dataclass(frozen=True)
class RunSummary:
    """The figures of a run in the index; None where a figure does not exist.

    Attributes:
        run_id: Run id.
        name: Name of the strategy.
        symbols: Traded symbols.
        dataset: Name of the dataset.
        offline: Whether the offline dataset was used.
        first: First out-of-sample bar.
        last: Last out-of-sample bar.
        sharpe: Annualised Sharpe ratio of the strategy.
        sharpe_low: Lower end of its interval.
        sharpe_high: Upper end of its interval.
        benchmark: Key of the benchmark with the highest Sharpe ratio; empty where there is none.
        benchmark_sharpe: Its Sharpe ratio.
        total_return_pct: Over the span, after costs.
        max_drawdown_pct: Max drawdown, not positive.
        grade: Grade of the evidence.
        cutoff_count: Cutoffs of the look-ahead test; None for a run without certificate.
        started_at: Start of the run, UTC, ISO 8601.
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
    benchmark: str
    benchmark_sharpe: float | None
    total_return_pct: float | None
    max_drawdown_pct: float | None
    grade: str
    cutoff_count: int | None
    started_at: str


@dataclass(frozen=True)
class RunEntry:
    """A folder of a run, complete or damaged.

    Attributes:
        folder: The folder.
        relative_path: `<strategy>/<run id>`, relative to the folder of all runs.
        summary: Its figures; None where it is damaged.
        problem: What is wrong with it; empty where it is complete.
    """

    folder: Path
    relative_path: str
    summary: RunSummary | None = None
    problem: str = ""


@dataclass(frozen=True)
class ComparisonEntry:
    """A comparison page.

    Attributes:
        page: The file.
        relative_path: Its folder, relative to the folder of all runs.
        modified_at: Time of the last change, UTC.
    """

    page: Path
    relative_path: str
    modified_at: datetime


def list_runs(reports: Path) -> list[RunEntry]:
    """Every run below `reports`, newest first, then damaged and unfinished ones.

    A folder two levels down is a run if it has a manifest, or if it is named like a run and has
    one of its files. Links that lead out of `reports` are not followed.
    """
    entries = [read_run_entry(folder, reports) for folder in list_run_folders(reports).values()]
    readable = [entry for entry in entries if entry.summary]
    damaged = [entry for entry in entries if not entry.summary]
    readable.sort(
        key=lambda entry: entry.summary.started_at if entry.summary else "", reverse=True
    )
    return readable + sorted(damaged, key=lambda entry: entry.relative_path)


def list_comparisons(reports: Path) -> list[ComparisonEntry]:
    """Every comparison page below `reports`, newest first."""
    entries = [
        ComparisonEntry(
            page, page.parent.relative_to(reports).as_posix(), _utc_minute(page.stat().st_mtime)
        )
        for page in reports.glob(f"*/*/{COMPARISON_FILE}")
        if page.is_file() and is_inside(page, reports)
    ]
    return sorted(entries, key=lambda entry: entry.modified_at, reverse=True)


def _utc_minute(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(second=0, microsecond=0)


def read_run_entry(folder: Path, reports: Path) -> RunEntry:
    """Reads the folder of one run; never raises: a damaged run is an entry with a problem."""
    relative_path = folder.relative_to(reports).as_posix()
    if draft := UNFINISHED_FOLDER_PATTERN.fullmatch(folder.name):
        problem = f"run {draft[1]} is being written, or was killed while it was"
        return RunEntry(folder, relative_path, problem=problem)
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        return RunEntry(folder, relative_path, problem=f"incomplete: {', '.join(missing)} missing")
    try:
        return RunEntry(folder, relative_path, _read_summary(folder))
    except UsageError as error:
        return RunEntry(folder, relative_path, problem=f"{error.problem}: {error.found}")
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        return RunEntry(
            folder, relative_path, problem=f"damaged: {type(error).__name__}: {error}"[:300]
        )


def is_inside(path: Path, reports: Path) -> bool:
    """Whether a path lies below `reports` after all links are resolved."""
    return path.resolve().is_relative_to(reports.resolve())


def list_run_folders(reports: Path) -> dict[str, Path]:
    """Every folder that `list_runs` lists, by its relative path; no file is read."""
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
    has_run_id = bool(RUN_ID_PATTERN.fullmatch(folder.name))
    return has_run_id and any((folder / name).exists() for name in REQUIRED_FILES)


def _read_summary(folder: Path) -> RunSummary:
    manifest, metrics = _read(folder, Manifest), _read(folder, Metrics)
    significance = _read(folder, Significance)
    has_certificate = (folder / "certificate.json").is_file()
    strategy = metrics.books[STRATEGY]
    interval = significance.sharpe.get(STRATEGY) or SharpeFigures()
    benchmark, benchmark_sharpe = _best_benchmark(metrics.books)
    return RunSummary(
        run_id=manifest.run_id,
        name=manifest.strategy_name,
        symbols=list_symbols(manifest.target),
        dataset=manifest.dataset.name,
        offline=manifest.dataset.offline,
        first=formatting.timestamp(metrics.span.first),
        last=formatting.timestamp(metrics.span.last),
        sharpe=strategy.sharpe,
        sharpe_low=interval.low,
        sharpe_high=interval.high,
        benchmark=benchmark,
        benchmark_sharpe=benchmark_sharpe,
        total_return_pct=strategy.total_return_pct,
        max_drawdown_pct=strategy.max_drawdown_pct,
        grade=significance.verdict.grade,
        cutoff_count=len(_read(folder, Certificate).cutoffs) if has_certificate else None,
        started_at=formatting.timestamp(manifest.started_at),
    )


def _read(folder: Path, model: type[_AnyDocument]) -> _AnyDocument:
    path = folder / f"{model.__name__.lower()}.json"
    return model.from_json(read_document_text(path), str(folder))


def _best_benchmark(books: Mapping[str, BookMetrics]) -> tuple[str, float | None]:
    sharpe_ratios = {
        name: figures.sharpe
        for name, figures in books.items()
        if name != STRATEGY and figures.sharpe is not None
    }
    if not sharpe_ratios:
        return "", None
    best = max(sharpe_ratios, key=lambda name: sharpe_ratios[name])
    return best, sharpe_ratios[best]

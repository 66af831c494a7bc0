"""The runs below a folder, whole ones and damaged ones."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.artifacts import DOCUMENTS, LATER, TABLES
from engine.reporting import formatting
from engine.reporting.books import STRATEGY
from engine.reporting.comparison.page import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUN_ID = re.compile(r"[0-9a-f]{12}")
DRAFT = re.compile(r"\.([0-9a-f]{12})\.[0-9]+")
"""What a run's folder is called while it is written; see `artifacts.whole_or_absent`."""

NEEDED = (
    "manifest.json",
    *(f"{name}.json" for name in DOCUMENTS if name not in LATER),
    *(f"{name}.parquet" for name in TABLES),
)


@dataclass(frozen=True)
class Summary:
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
        low: Lower end of its interval.
        high: Upper end.
        opponent: The opponent with the highest Sharpe ratio; empty where there is none.
        opponent_sharpe: Its Sharpe ratio.
        total_return_pct: Over the span, after costs.
        max_drawdown_pct: The deepest.
        grade: Of the evidence.
        cuts: At how many bars the certificate looked for look-ahead; None without certificate.
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
    low: float | None
    high: float | None
    opponent: str
    opponent_sharpe: float | None
    total_return_pct: float | None
    max_drawdown_pct: float | None
    grade: str
    cuts: int | None
    started_at: str


@dataclass(frozen=True)
class Entry:
    """A folder of a run, or what is left of one.

    Attributes:
        folder: Where it is.
        address: `<strategy>/<run id>`, as below the folder of all runs.
        summary: What is in it; None where it is damaged.
        problem: What is wrong with it; empty of a whole one.
    """

    folder: Path
    address: str
    summary: Summary | None = None
    problem: str = ""


@dataclass(frozen=True)
class Compared:
    """A page that compares runs.

    Attributes:
        page: The file.
        address: Its folder, as below the folder of all runs.
        made: When, UTC.
    """

    page: Path
    address: str
    made: datetime


def entries(reports: Path) -> list[Entry]:
    """Every run below `reports`, the last one first, then what is damaged or half written.

    A folder two levels down is one if it has a manifest, or is called like a run and has some part
    of one. Links that lead out of `reports` are not followed.
    """
    found = [entry_of(folder, reports) for folder in _folders(reports)]
    whole = [entry for entry in found if entry.summary]
    damaged = [entry for entry in found if not entry.summary]
    whole.sort(key=lambda entry: entry.summary.started_at if entry.summary else "", reverse=True)
    return whole + sorted(damaged, key=lambda entry: entry.address)


def comparisons(reports: Path) -> list[Compared]:
    """Every page that compares runs, the last one first."""
    found = [
        Compared(page, page.parent.relative_to(reports).as_posix(), _moment(page.stat().st_mtime))
        for page in reports.glob(f"*/*/{FILE}")
        if page.is_file() and inside(page, reports)
    ]
    return sorted(found, key=lambda each: each.made, reverse=True)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(second=0, microsecond=0)


def entry_of(folder: Path, reports: Path) -> Entry:
    """What is in one folder of a run; never an error, whatever is in it."""
    address = folder.relative_to(reports).as_posix()
    if draft := DRAFT.fullmatch(folder.name):
        told = f"run {draft[1]} is being written, or was killed while it was"
        return Entry(folder, address, problem=told)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        return Entry(folder, address, problem=f"half of a run: {', '.join(missing)} missing")
    try:
        return Entry(folder, address, _summary(folder))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        return Entry(folder, address, problem=f"damaged: {type(error).__name__}: {error}"[:300])


def inside(path: Path, reports: Path) -> bool:
    """Whether a path, all links followed, lies below `reports`."""
    return path.resolve().is_relative_to(reports.resolve())


def _folders(reports: Path) -> Iterator[Path]:
    groups = sorted(reports.iterdir()) if reports.is_dir() else []
    for group in groups:
        if group.name.startswith(".") or not (group.is_dir() and inside(group, reports)):
            continue
        for folder in sorted(group.iterdir()):
            if _is_run(folder) and folder.is_dir() and inside(folder, reports):
                yield folder


def _is_run(folder: Path) -> bool:
    if DRAFT.fullmatch(folder.name) or (folder / "manifest.json").exists():
        return True
    called = bool(RUN_ID.fullmatch(folder.name))
    return called and any((folder / name).exists() for name in NEEDED)


def _summary(folder: Path) -> Summary:
    manifest, metrics, significance = (
        _read(folder / f"{name}.json") for name in ("manifest", "metrics", "significance")
    )
    certificate = folder / "certificate.json"
    books, dataset = metrics["books"], manifest["dataset"]
    mine, interval = books[STRATEGY], significance["sharpe"].get(STRATEGY) or {}
    opponent, best = _strongest(books)
    return Summary(
        run_id=str(manifest["run_id"]),
        name=str(manifest["strategy_name"]),
        symbols=", ".join(map(str, manifest["target"])),
        dataset=str(dataset.get("name")),
        offline=bool(dataset.get("offline")),
        first=formatting.moment(metrics["span"]["first"]),
        last=formatting.moment(metrics["span"]["last"]),
        sharpe=_number(mine.get("sharpe")),
        low=_number(interval.get("low")),
        high=_number(interval.get("high")),
        opponent=opponent,
        opponent_sharpe=best,
        total_return_pct=_number(mine.get("total_return_pct")),
        max_drawdown_pct=_number(mine.get("max_drawdown_pct")),
        grade=str(significance["verdict"]["grade"]),
        cuts=len(_read(certificate)["cuts"]) if certificate.is_file() else None,
        started_at=formatting.moment(manifest.get("started_at")),
    )


def _read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise TypeError(f"{path.name} is no JSON object")
    return found


def _strongest(books: Mapping[str, Mapping[str, Any]]) -> tuple[str, float | None]:
    known = {
        str(name): ratio
        for name, figures in books.items()
        if name != STRATEGY and (ratio := _number(figures.get("sharpe"))) is not None
    }
    if not known:
        return "", None
    best = max(known, key=lambda name: known[name])
    return best, known[best]


def _number(value: object) -> float | None:
    """A figure as it stands in a document; anything else is an error."""
    return None if value is None else float(value)  # type: ignore[arg-type]

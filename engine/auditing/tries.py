"""Tries counted in the records of another tool."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from engine.auditing.readers import open_table
from engine.core.errors import UsageError
from engine.core.read_file import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SQLITE = b"SQLite format 3\x00"
_OPTUNA_TRIALS = "SELECT COUNT(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED', 'FAIL')"

_PARENT = "mlflow.parentRunId"
_MLFLOW_RUNS = """
    SELECT COUNT(*) FROM runs AS run JOIN experiments AS own USING (experiment_id)
    WHERE (:experiment IS NULL OR own.name = :experiment OR own.experiment_id = :experiment)
    AND run.run_uuid NOT IN (SELECT value FROM tags WHERE key = :parent)
"""
_MLFLOW_EXPERIMENTS = "SELECT name FROM experiments ORDER BY experiment_id"

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_META, _TRASH = "meta.yaml", ".trash"
_MAX_META_BYTES = 1 << 20
_NAME = re.compile(r"^name:\s*(.*?)\s*$", re.MULTILINE)


def count_tries(kind: str, path: Path) -> int:
    """The number of tries, at least 1; each counts, also a failed, pruned or deleted one.

    Args:
        kind: `csv`, a table with a row a try; `optuna`, the SQLite file of its storage; `mlflow`,
            its tracking folder or SQLite file, of all experiments or, as PATH:EXPERIMENT, of one.
            A run of MLflow with runs nested in it is what holds tries, and none itself.
        path: The file or folder.

    Raises:
        UsageError: There is no such kind, or the file is not one of it.
    """
    if kind == "csv":
        return len(open_table(path).frame)
    if kind == "optuna":
        return max(1, _count_rows(path, _OPTUNA_TRIALS, {}, "Optuna", _OPTUNA_EXPECTED))
    if kind == "mlflow":
        return max(1, _count_mlflow(path))
    raise UsageError(
        "--tries-from is of no known kind",
        expected="csv FILE, optuna FILE or mlflow PATH",
        found=kind,
        where="--tries-from",
        fix="count the tries yourself: --tries N",
    )


_OPTUNA_EXPECTED = "the SQLite file of `optuna.create_study(storage='sqlite:///FILE')`"
_MLFLOW_EXPECTED = "the folder mlruns or the file mlflow.db of `mlflow.set_tracking_uri`"


def _count_rows(
    path: Path, query: str, values: dict[str, str | None], tool: str, expected: str
) -> int:
    """The number that a query gives of a SQLite file, which is opened for reading alone."""
    try:
        with open_regular(path, f"a storage of {tool}") as file:
            found = "a SQLite file" if file.read(len(_SQLITE)) == _SQLITE else "another file"
        if found == "a SQLite file":
            uri = f"{path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                return int(connection.execute(query, values).fetchone()[0])
    except (OSError, sqlite3.Error) as error:
        found = str(error)
    raise _no_storage(path, tool, expected, found)


def _no_storage(path: Path, tool: str, expected: str, found: str) -> UsageError:
    return UsageError(
        f"this is no storage of {tool}",
        expected=expected,
        found=found,
        where=str(path),
        fix="count the tries yourself: --tries N",
    )


def _count_mlflow(path: Path) -> int:
    """Runs that hold no others, deleted and unfinished ones too."""
    place, experiment = _split_experiment(path)
    if place.is_dir():
        return _count_folder(place, experiment)
    values = {"experiment": experiment, "parent": _PARENT}
    count = _count_rows(place, _MLFLOW_RUNS, values, "MLflow", _MLFLOW_EXPECTED)
    if count or experiment is None:
        return count
    with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        names = [str(name) for (name,) in connection.execute(_MLFLOW_EXPERIMENTS)]
    raise _no_experiment(experiment, names, place)


def _split_experiment(path: Path) -> tuple[Path, str | None]:
    """PATH and EXPERIMENT of PATH:EXPERIMENT; what exists as a whole has no experiment."""
    if path.exists() or ":" not in path.name:
        return path, None
    name, _, experiment = path.name.rpartition(":")
    return path.with_name(name), experiment


def _count_folder(root: Path, wanted: str | None) -> int:
    """Runs of a tracking folder, of its experiments in the bin too, or of one experiment's own."""
    folders = [root] if (root / _META).is_file() else list(_experiments(root))
    if not folders:
        raise _no_storage(root, "MLflow", _MLFLOW_EXPECTED, "a folder without experiments")
    names = {folder: _read_name(folder) for folder in folders}
    chosen = [each for each in folders if wanted is None or wanted in {each.name, names[each]}]
    if not chosen:
        raise _no_experiment(wanted or "", sorted(names.values()), root)
    runs = [run for folder in chosen for run in _runs(folder)]
    parents = {_read(run / "tags" / _PARENT).strip() for run in runs}
    return sum(run.name not in parents for run in runs)


def _experiments(root: Path) -> Iterator[Path]:
    for parent in (root, root / _TRASH):
        if parent.is_dir():
            yield from (each for each in sorted(parent.iterdir()) if (each / _META).is_file())


def _runs(experiment: Path) -> Iterator[Path]:
    """The folders of runs; models and traces lie in others."""
    for each in experiment.iterdir():
        if _RUN_ID.fullmatch(each.name) and (each / _META).is_file():
            yield each


def _read_name(experiment: Path) -> str:
    found = _NAME.search(_read(experiment / _META))
    return found.group(1).strip("'\"") if found else experiment.name


def _read(path: Path) -> str:
    """The text of a small file; empty where there is none."""
    if not path.is_file():
        return ""
    with open_regular(path, "a file of MLflow") as file:
        return file.read(_MAX_META_BYTES).decode(errors="replace")


def _no_experiment(wanted: str, names: list[str], where: Path) -> UsageError:
    return UsageError(
        f"there is no experiment {wanted} with runs",
        expected=f"one of {', '.join(names)[:300]}",
        found=wanted,
        where=str(where),
        fix="name the experiment after a colon: --tries-from mlflow PATH:EXPERIMENT",
    )

"""Tries counted in the records of another tool."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from engine.auditing.readers import open_table
from engine.core.errors import UsageError
from engine.core.read_file import open_regular

if TYPE_CHECKING:
    from pathlib import Path

_SQLITE = b"SQLite format 3\x00"
_ENDED = "SELECT COUNT(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED', 'FAIL')"


def count_tries(kind: str, path: Path) -> int:
    """The number of tries, at least 1; each counts, also a failed or pruned one.

    Args:
        kind: `csv`, a table with a row a try, or `optuna`, the SQLite file of its storage.
        path: The file.

    Raises:
        UsageError: There is no such kind, or the file is not one of it.
    """
    if kind == "csv":
        return len(open_table(path).frame)
    if kind == "optuna":
        return max(1, _count_trials(path))
    raise UsageError(
        "--tries-from is of no known kind",
        expected="csv FILE or optuna FILE",
        found=kind,
        where="--tries-from",
        fix="count the tries yourself: --tries N",
    )


def _count_trials(path: Path) -> int:
    """Trials that ended, of all studies of a storage, which is opened for reading alone."""
    try:
        with open_regular(path, "a storage of Optuna") as file:
            found = "a SQLite file" if file.read(len(_SQLITE)) == _SQLITE else "another file"
        if found == "a SQLite file":
            uri = f"{path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                return int(connection.execute(_ENDED).fetchone()[0])
    except (OSError, sqlite3.Error) as error:
        found = str(error)
    raise UsageError(
        "this is no storage of Optuna",
        expected="the SQLite file of `optuna.create_study(storage='sqlite:///FILE')`",
        found=found,
        where=str(path),
        fix="count the tries yourself: --tries N",
    )

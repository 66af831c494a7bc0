"""Adds the runs of one ledger to another, so that several users' tries are counted together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.core.errors import LedgerError
from engine.trials.ledger_chain import KEYS, ChainedTable, check_chain, insert_chained
from engine.trials.ledger_schema import copy_ledger, ledger_transaction, open_ledger
from engine.trials.ledger_wait import ignore_wait

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

_LATER_TABLES: tuple[ChainedTable, ...] = ("grounds", "outcomes")


@dataclass(frozen=True)
class MergeResult:
    """What a merge did.

    Attributes:
        added: Runs that were added.
        completed: Runs that were there already, and have their bars or end now.
        known: Runs that were there already, as they are.
    """

    added: int
    completed: int
    known: int


@dataclass(frozen=True)
class _ForeignRun:
    """A run of the other ledger: its number, the hash of its begin, and its rows by table."""

    number: int
    origin: str
    rows: dict[ChainedTable, dict[str, Any]]


def merge_ledger(
    path: Path, other: Path, on_wait: Callable[[str], None] = ignore_wait
) -> MergeResult:
    """Adds the runs of another ledger that are not in this one, at its end.

    A run is known by the hash of its begin in the chain of the ledger that wrote it, so merging
    twice adds nothing, and neither does merging a copy of the same ledger.

    Args:
        path: The ledger that grows; created if needed.
        other: The ledger that is read; it is not changed.
        on_wait: As for `ledger_transaction`.

    Raises:
        LedgerError: There is no other ledger, it is damaged, or its chain is broken; nothing is
            added.
        LedgerUnreachableError: One of them cannot be used.
    """
    runs = _read_runs(other, on_wait)
    counts = {"added": 0, "completed": 0, "known": 0}
    with ledger_transaction(path, on_wait=on_wait) as connection:
        for run in runs:
            counts[_merge_run(connection, run)] += 1
    return MergeResult(**counts)


def _read_runs(other: Path, on_wait: Callable[[str], None]) -> list[_ForeignRun]:
    if not other.is_file():
        raise LedgerError(
            "there is no ledger to merge",
            expected="the path of a `ledger.sqlite`",
            found="no file",
            where=str(other),
        )
    with TemporaryDirectory() as folder:
        # Reading migrates an older file, which belongs to somebody else.
        copy = Path(folder) / "ledger.sqlite"
        copy_ledger(other, copy)
        with open_ledger(copy, on_wait) as connection:
            check = check_chain(connection)
            if check.first_break:
                raise LedgerError(
                    "the ledger to merge is not as the engine wrote it",
                    expected="rows that agree with their hashes",
                    found=check.first_break.sentence,
                    where=str(other),
                    fix="ask its owner for another copy, or merge a backup",
                )
            return list(_iterate_runs(connection))


def _iterate_runs(connection: sqlite3.Connection) -> Iterator[_ForeignRun]:
    origins = {row["run"]: row["origin"] for row in connection.execute("SELECT * FROM merged")}
    begins = connection.execute("SELECT run, hash FROM chain WHERE source = 'runs'")
    for number, begin in begins.fetchall():
        rows = {
            table: dict(row)
            for table, key in KEYS.items()
            for row in connection.execute(f"SELECT * FROM {table} WHERE {key} = ?", (number,))
        }
        yield _ForeignRun(number, origins.get(number, begin), rows)


def _merge_run(connection: sqlite3.Connection, run: _ForeignRun) -> str:
    known = _find_run(connection, run.origin)
    if known is None:
        begin = {name: value for name, value in run.rows["runs"].items() if name != "number"}
        own = insert_chained(connection, "runs", begin).run
        insert_chained(
            connection, "merged", {"run": own, "origin": run.origin, "number": run.number}
        )
        _add_later_rows(connection, run, own)
        return "added"
    return "completed" if _add_later_rows(connection, run, known) else "known"


def _add_later_rows(connection: sqlite3.Connection, run: _ForeignRun, own: int) -> int:
    """The bars and the end of a run, where they are not there; returns how many were added."""
    added = 0
    for table in _LATER_TABLES:
        row = run.rows.get(table)
        is_there = connection.execute(f"SELECT 1 FROM {table} WHERE run = ?", (own,)).fetchone()
        if row is not None and is_there is None:
            insert_chained(connection, table, row | {"run": own})
            added += 1
    return added


def _find_run(connection: sqlite3.Connection, origin: str) -> int | None:
    """The run whose begin has this hash, here or in the ledger that it was merged from."""
    found = connection.execute(
        "SELECT run FROM merged WHERE origin = ? "
        "UNION SELECT run FROM chain WHERE source = 'runs' AND hash = ?",
        (origin, origin),
    ).fetchone()
    return None if found is None else int(found[0])

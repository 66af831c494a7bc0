"""Adds the runs of one ledger to another, so that several users' tries are counted together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.core.errors import LedgerError
from engine.trials.ledger_chain import ChainedTable, check_chain, insert_chained
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


@dataclass(frozen=True)
class _ForeignDeclaration:
    """A declaration of the other ledger: its row, and its hash in the ledger that wrote it."""

    origin: str
    row: dict[str, Any]


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
    entries = _read_entries(other, on_wait)
    counts = {"added": 0, "completed": 0, "known": 0}
    with ledger_transaction(path, on_wait=on_wait) as connection:
        for entry in entries:
            if isinstance(entry, _ForeignDeclaration):
                _merge_declaration(connection, entry)
            else:
                counts[_merge_run(connection, entry)] += 1
    return MergeResult(**counts)


def _read_entries(
    other: Path, on_wait: Callable[[str], None]
) -> list[_ForeignRun | _ForeignDeclaration]:
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
            return list(_iterate_entries(connection))


def _iterate_entries(
    connection: sqlite3.Connection,
) -> Iterator[_ForeignRun | _ForeignDeclaration]:
    """Runs and declarations in the order in which they were written."""
    origins = {row["run"]: row["origin"] for row in connection.execute("SELECT * FROM merged")}
    begins = connection.execute(
        "SELECT source, run, hash FROM chain WHERE source IN ('runs', 'declarations') "
        "ORDER BY position"
    )
    for source, number, written in begins.fetchall():
        if source == "declarations":
            row = dict(_select(connection, "declarations", "number", number)[0])
            yield _ForeignDeclaration(row.pop("origin") or written, row)
            continue
        keys: dict[ChainedTable, str] = {"runs": "number", "grounds": "run", "outcomes": "run"}
        rows = {
            table: dict(row)
            for table, key in keys.items()
            for row in _select(connection, table, key, number)
        }
        yield _ForeignRun(number, origins.get(number, written), rows)


def _select(
    connection: sqlite3.Connection, table: str, key: str, number: int
) -> list[sqlite3.Row]:
    return connection.execute(f"SELECT * FROM {table} WHERE {key} = ?", (number,)).fetchall()


def _merge_declaration(connection: sqlite3.Connection, declaration: _ForeignDeclaration) -> None:
    """Adds a declaration unless it is known, as the runs are, by the hash that it was given."""
    known = connection.execute(
        "SELECT 1 FROM declarations WHERE origin = ? "
        "UNION SELECT 1 FROM chain WHERE source = 'declarations' AND hash = ?",
        (declaration.origin, declaration.origin),
    ).fetchone()
    if known is None:
        row = {name: value for name, value in declaration.row.items() if name != "number"}
        insert_chained(connection, "declarations", row | {"origin": declaration.origin})


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

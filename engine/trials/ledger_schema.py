"""The SQLite file of the ledger: tables, append-only triggers, migrations, connections.

It uses a rollback journal, the default of SQLite, rather than a write-ahead log: the file may be
on a network drive, and a write-ahead log needs shared memory, which works on one host only. A run
writes three short rows, so speed does not matter. No connection is open while a run trains.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from engine.core.errors import LedgerError, LedgerUnreachableError
from engine.core.sqlite_file import MigrationStep, SqliteFile, connect
from engine.core.storage import create_private_folder
from engine.trials.ledger_chain import CREATE_CHAIN, CREATE_CHAIN_INDEX, chain_earlier_rows
from engine.trials.ledger_wait import SLICE_S, WAIT_S, ignore_wait, patience_for

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SYNCHRONOUS = "FULL"
"""Rows are on the disk when a transaction ends: a power failure loses no run."""

_LEDGER = SqliteFile(
    name="the trial ledger",
    one_of_them="a trial ledger",
    written_by="backtest run",
    application_id=0x42544C47,  # "BTLG"
    error=LedgerError,
    unusable_error=LedgerUnreachableError,
    fix_unusable="make both writable, free disk space, or set BACKTEST_HOME to another folder",
    fix_damaged="restore a backup, or move the file away: a new ledger begins, without the runs "
    "so far",
)

_CREATE_VIEW = """
    CREATE VIEW ledger AS
    SELECT * FROM runs
    LEFT JOIN grounds ON grounds.run = runs.number
    LEFT JOIN outcomes ON outcomes.run = runs.number
    """

_CREATE_TABLES = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        started_at TEXT NOT NULL,
        name TEXT NOT NULL,
        configuration TEXT NOT NULL,
        strategy TEXT NOT NULL,
        command TEXT NOT NULL,
        engine TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process TEXT
    )
    """,
    """
    CREATE TABLE grounds (
        run INTEGER PRIMARY KEY REFERENCES runs (number),
        dataset TEXT NOT NULL,
        interval TEXT NOT NULL,
        targets TEXT NOT NULL,
        inputs TEXT NOT NULL,
        first TEXT NOT NULL,
        last TEXT NOT NULL,
        bars INTEGER NOT NULL,
        periods_per_year REAL NOT NULL
    )
    """,
    """
    CREATE TABLE outcomes (
        run INTEGER PRIMARY KEY REFERENCES runs (number),
        ended_at TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('finished', 'failed', 'interrupted')),
        error TEXT,
        problem TEXT,
        run_id TEXT,
        seeds INTEGER,
        tuning INTEGER,
        sharpe REAL,
        grade TEXT,
        certificate TEXT,
        returns BLOB
    )
    """,
    "CREATE INDEX grounds_by_target ON grounds (targets, interval)",
    _CREATE_VIEW,
)


def _append_only_triggers(table: str, key: str) -> tuple[str, ...]:
    """Triggers that make a table append-only."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    return (
        f"CREATE TRIGGER {table}_keep BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_stay BEFORE DELETE ON {table} {refuse}",
        # INSERT OR REPLACE deletes without firing the trigger above.
        f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) {refuse}",
    )


def _reference_trigger(table: str) -> str:
    """A trigger that rejects rows without a run; SQLite checks references only on request."""
    return (
        f"CREATE TRIGGER {table}_owned BEFORE INSERT ON {table} "
        "WHEN NOT EXISTS (SELECT 1 FROM runs WHERE number = NEW.run) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger has no such run'); END"
    )


_VERSION_1 = (
    *_CREATE_TABLES,
    *_append_only_triggers("runs", "number"),
    *_append_only_triggers("grounds", "run"),
    *_append_only_triggers("outcomes", "run"),
    _reference_trigger("grounds"),
    _reference_trigger("outcomes"),
)

_VERSION_2 = ("ALTER TABLE runs ADD COLUMN family TEXT", "DROP VIEW ledger", _CREATE_VIEW)
"""Earlier runs belong to no sweep."""

_VERSION_3 = (
    "ALTER TABLE outcomes ADD COLUMN holding BLOB",
    "ALTER TABLE grounds ADD COLUMN opening TEXT",
    "DROP VIEW ledger",
    _CREATE_VIEW,
)
"""Earlier runs have no returns of buy and hold, and no hash of their first bars."""

_VERSION_4: tuple[MigrationStep, ...] = (
    CREATE_CHAIN,
    CREATE_CHAIN_INDEX,
    """
    CREATE TABLE merged (
        run INTEGER PRIMARY KEY REFERENCES runs (number),
        origin TEXT NOT NULL,
        number INTEGER NOT NULL
    )
    """,
    *_append_only_triggers("chain", "position"),
    *_append_only_triggers("merged", "run"),
    _reference_trigger("merged"),
    "DROP VIEW ledger",
    """
    CREATE VIEW ledger AS
    SELECT *, (
        SELECT hash FROM chain WHERE chain.run = runs.number AND chain.source != 'earlier'
        ORDER BY position DESC LIMIT 1
    ) AS hash
    FROM runs
    LEFT JOIN grounds ON grounds.run = runs.number
    LEFT JOIN outcomes ON outcomes.run = runs.number
    """,
    chain_earlier_rows,
)
"""Earlier rows are chained as they are found."""

_VERSION_5: tuple[MigrationStep, ...] = (
    """
    CREATE TABLE declarations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('registration', 'unsealing')),
        declared_at TEXT NOT NULL,
        name TEXT NOT NULL,
        configuration TEXT NOT NULL,
        strategy TEXT NOT NULL,
        content TEXT NOT NULL,
        engine TEXT NOT NULL,
        host TEXT NOT NULL,
        origin TEXT
    )
    """,
    *_append_only_triggers("declarations", "number"),
    "DROP VIEW ledger",
    """
    CREATE VIEW ledger AS
    SELECT *, (
        SELECT hash FROM chain
        WHERE chain.run = runs.number AND chain.source NOT IN ('earlier', 'declarations')
        ORDER BY position DESC LIMIT 1
    ) AS hash
    FROM runs
    LEFT JOIN grounds ON grounds.run = runs.number
    LEFT JOIN outcomes ON outcomes.run = runs.number
    """,
)
"""Earlier ledgers have no declarations. `origin` is the hash of one that was merged."""

MIGRATIONS: tuple[Sequence[MigrationStep], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
)
"""The steps from each version of the file to the next, from an empty file on."""


@contextmanager
def open_ledger(
    path: Path, on_wait: Callable[[str], None] = ignore_wait
) -> Iterator[sqlite3.Connection]:
    """A connection that reads an existing ledger, migrated to the current version if needed.

    All that is read is of one instant.

    Args:
        path: The ledger.
        on_wait: Receives a sentence where another process keeps the ledger locked.

    Raises:
        LedgerError: The file is damaged, not a ledger, or of a newer version.
        LedgerUnreachableError: It cannot be read, or another process kept it locked too long.
    """
    with _connect(path, "rw") as connection:
        if _begin_reading(connection, path, on_wait) < len(MIGRATIONS):
            connection.execute("ROLLBACK")
            with ledger_transaction(path, on_wait=on_wait):
                pass
            _begin_reading(connection, path, on_wait)
        yield connection


def _begin_reading(
    connection: sqlite3.Connection, path: Path, on_wait: Callable[[str], None]
) -> int:
    """Begins a transaction, whose first query takes the lock; returns the file's version."""
    connection.execute("BEGIN")
    return patience_for(path.absolute()).acquire(
        path, lambda: _LEDGER.read_version(connection, path, len(MIGRATIONS)), on_wait
    )


@contextmanager
def ledger_transaction(
    path: Path,
    *,
    on_wait: Callable[[str], None] = ignore_wait,
    limit_s: float = WAIT_S,
    migrations: Sequence[Sequence[MigrationStep]] = MIGRATIONS,
) -> Iterator[sqlite3.Connection]:
    """A transaction on a ledger, created or migrated if needed; atomic.

    Args:
        path: The ledger; its folder is created, for its owner alone, where there is none.
        on_wait: Receives a sentence where another process keeps the ledger locked.
        limit_s: Seconds to wait for others, if so many are left of `WAIT_S`.
        migrations: The versions of the file.

    Raises:
        LedgerError: The file is damaged, not a ledger, or of a newer version.
        LedgerUnreachableError: It cannot be written, or other writers kept it locked too long.
    """
    try:
        create_private_folder(path.parent)
    except OSError as error:
        raise _LEDGER.as_unusable(path, error) from error
    patience = patience_for(path.absolute())
    with _connect(path, "rwc") as connection:
        # It reads the file, which an exclusive lock forbids, and must not be in a transaction.
        for statement in (f"PRAGMA synchronous = {SYNCHRONOUS}", "BEGIN IMMEDIATE"):
            patience.acquire(path, partial(connection.execute, statement), on_wait, limit_s)
        try:
            _LEDGER.migrate(connection, path, migrations)
            yield connection
            # A reader keeps the rows from being written.
            patience.acquire(path, partial(connection.execute, "COMMIT"), on_wait, limit_s)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def copy_ledger(path: Path, to: Path) -> None:
    """Copies a ledger as it is at one instant, while others write to it.

    Raises:
        LedgerError: The file is damaged or not a database.
        LedgerUnreachableError: It cannot be read, or the copy not be written.
    """
    with (
        _connect(path, "ro") as source,
        _LEDGER.translate_errors(to),
        closing(connect(to, "rwc", timeout_s=WAIT_S)) as copy,
    ):
        source.backup(copy)


@contextmanager
def _connect(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    with (
        _LEDGER.translate_errors(path),
        closing(connect(path, mode, timeout_s=SLICE_S)) as connection,
    ):
        yield connection

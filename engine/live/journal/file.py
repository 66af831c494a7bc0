"""Connections to the journal's file: created and migrated on writing, read-only on reading."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.core.errors import JournalError
from engine.core.storage import create_private_folder, translate_disk_faults
from engine.live.journal.tables import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 10.0
"""How long SQLite waits for another writer, whose transactions take milliseconds."""

CANNOT_WRITE = "the journal of paper accounts cannot be written"


def journal_path(home: Path) -> Path:
    """The file in a home."""
    return home / "accounts" / "journal.sqlite"


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes; the file is created or migrated if needed.

    Raises:
        JournalError: The file is damaged, no journal, of a newer version, or locked.
        StorageError: Its folder cannot be created.
    """
    with translate_disk_faults(CANNOT_WRITE, path):
        create_private_folder(path.parent)
    with translate_sqlite_errors(path):
        connection = _connect(path, "rwc")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            with _transaction(connection):
                _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads an existing journal.

    Raises:
        JournalError: There is no such file, it is damaged, no journal or of a newer version.
    """
    with translate_sqlite_errors(path):
        connection = _connect(path, "ro")
        try:
            _require_version(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def write_transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All that is written inside is in the journal when it ends, or nothing of it.

    Raises:
        JournalError: It cannot be written.
    """
    with translate_sqlite_errors(path), _transaction(connection):
        yield


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Errors of SQLite as a JournalError, but those of rows that contradict the journal."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.OperationalError as error:
        raise JournalError(
            "the journal of paper accounts cannot be used",
            expected="a file that can be read and written, in a folder that can be written",
            found=str(error),
            where=str(path),
            fix="free disk space, make both writable, or end the process that locks it; the "
            "journal has every bar up to the last one that was decided",
        ) from error
    except sqlite3.DatabaseError as error:
        raise JournalError(
            "the journal of paper accounts is damaged",
            expected="an intact SQLite database",
            found=str(error),
            where=str(path),
            fix="restore a backup of the folder",
        ) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _require_version(connection, path)
    for statement in (line for step in MIGRATIONS[version:] for line in step):
        connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _require_version(connection: sqlite3.Connection, path: Path) -> int:
    """Schema version of the file, 0 where it is empty."""
    version, application, tables = (
        int(connection.execute(query).fetchone()[0])
        for query in (
            "PRAGMA user_version",
            "PRAGMA application_id",
            "SELECT COUNT(*) FROM sqlite_master",
        )
    )
    if application != APPLICATION_ID and (tables or version):
        raise JournalError(
            "this file is no journal of paper accounts",
            expected="a file written by `backtest paper`",
            found="another program's SQLite database",
            where=str(path),
            fix="move it away, or set BACKTEST_HOME to another folder",
        )
    if version > len(MIGRATIONS):
        raise JournalError(
            "the journal of paper accounts was written by a newer engine",
            expected=f"version {len(MIGRATIONS)} or older",
            found=f"version {version}",
            where=str(path),
            fix="update backtest-engine, or set BACKTEST_HOME to another folder",
        )
    return version

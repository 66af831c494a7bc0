"""Connections to the journal's file: created and migrated on writing, read-only on reading."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.core.errors import JournalError
from engine.core.sqlite_file import SqliteFile, connect
from engine.core.storage import create_private_folder, translate_disk_faults
from engine.live.journal.tables import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

WAIT_S = 10.0
"""How long SQLite waits for another writer, whose transactions take milliseconds."""

_JOURNAL = SqliteFile(
    name="the journal of paper accounts",
    one_of_them="a journal of paper accounts",
    written_by="backtest paper",
    application_id=APPLICATION_ID,
    error=JournalError,
    unusable_error=JournalError,
    fix_unusable="free disk space, make both writable, or end the process that locks it; the "
    "journal has every bar up to the last one that was decided",
    fix_damaged="restore a backup of the folder",
)

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
                _JOURNAL.migrate(connection, path, MIGRATIONS)
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
            _JOURNAL.read_version(connection, path, len(MIGRATIONS))
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


def translate_sqlite_errors(path: Path) -> AbstractContextManager[None]:
    """Errors of SQLite as a JournalError, but those of rows that contradict the journal."""
    return _JOURNAL.translate_errors(path)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return connect(path, mode, timeout_s=WAIT_S, one_thread=False)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

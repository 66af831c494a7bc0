"""A SQLite file of the engine: its errors, its version, and bringing it to the newest one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.core.errors import BacktestError

MigrationStep: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""A statement of SQL, or a function of the connection where SQL cannot say it."""


@dataclass(frozen=True)
class SqliteFile:
    """A kind of file, as its header and its errors name it.

    Attributes:
        name: In a sentence: `the trial ledger`.
        one_of_them: Likewise: `a trial ledger`.
        written_by: Command that writes such a file.
        application_id: In the header of such a file, so that those of other programs are rejected.
        error: Raised where the file is damaged, of another program, or of a newer engine.
        unusable_error: Raised where it cannot be read or written now.
        fix_unusable: What the user can do in that case.
        fix_damaged: What the user can do about a damaged file.
    """

    name: str
    one_of_them: str
    written_by: str
    application_id: int
    error: type[BacktestError]
    unusable_error: type[BacktestError]
    fix_unusable: str
    fix_damaged: str

    @contextmanager
    def translate_errors(self, path: Path) -> Iterator[None]:
        """Raises errors of SQLite as those of the file, but those of rows that contradict it."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.OperationalError as error:
            raise self.as_unusable(path, error) from error
        except sqlite3.DatabaseError as error:
            raise self.error(
                f"{self.name} is damaged",
                expected="an intact SQLite database",
                found=str(error),
                where=str(path),
                fix=self.fix_damaged,
            ) from error

    def as_unusable(self, path: Path, error: Exception) -> BacktestError:
        """The error of a file that cannot be read or written now."""
        return self.unusable_error(
            f"{self.name} cannot be used",
            expected="a file that can be read and written, in a folder that can be written",
            found="a folder of this name" if path.is_dir() else str(error),
            where=str(path),
            fix=self.fix_unusable,
        )

    def read_version(self, connection: sqlite3.Connection, path: Path, newest: int) -> int:
        """Version of the schema, 0 where the file is empty.

        Raises:
            BacktestError: `error`, where another program wrote the file, or a newer engine.
        """
        version, application, tables = (
            int(connection.execute(query).fetchone()[0])
            for query in (
                "PRAGMA user_version",
                "PRAGMA application_id",
                "SELECT COUNT(*) FROM sqlite_master",
            )
        )
        if application != self.application_id and (tables or version):
            raise self.error(
                f"this file is not {self.one_of_them}",
                expected=f"a file written by `{self.written_by}`",
                found="another program's SQLite database",
                where=str(path),
                fix="move it away, or set BACKTEST_HOME to another folder",
            )
        if version > newest:
            raise self.error(
                f"{self.name} was written by a newer engine",
                expected=f"version {newest} or older",
                found=f"version {version}",
                where=str(path),
                fix="update backtest-engine, or set BACKTEST_HOME to another folder",
            )
        return version

    def migrate(
        self,
        connection: sqlite3.Connection,
        path: Path,
        migrations: Sequence[Sequence[MigrationStep]],
    ) -> None:
        """Brings a file to the newest version, inside of a transaction.

        Args:
            connection: To the file, in a transaction.
            path: The file.
            migrations: The steps from each version to the next, from an empty file on.

        Raises:
            BacktestError: As `read_version`.
        """
        version, newest = self.read_version(connection, path, len(migrations)), len(migrations)
        for step in (step for steps in migrations[version:] for step in steps):
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
        if version < newest:
            connection.execute(f"PRAGMA user_version = {newest}")
            connection.execute(f"PRAGMA application_id = {self.application_id}")


def connect(
    path: Path, mode: str, *, timeout_s: float, one_thread: bool = True
) -> sqlite3.Connection:
    """A connection whose transactions begin and end as its statements say.

    Args:
        path: The file.
        mode: `ro`, `rw`, or `rwc` to create it.
        timeout_s: How long SQLite waits for a lock.
        one_thread: Whether it is used in the thread that opened it alone.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=one_thread,
    )
    connection.row_factory = sqlite3.Row
    return connection

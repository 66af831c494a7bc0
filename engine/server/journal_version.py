"""Whether the journal changed since it was read."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from typing import TYPE_CHECKING

from engine.core.errors import JournalError
from engine.live.journal.reader import JournalReader

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = "absent"
UNREADABLE = "unreadable"


class JournalVersion:
    """A text that changes with every transaction of the journal; thread-safe.

    It is another one after a restart of the server and for another file, too.

    Args:
        path: The journal, which may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._reader: JournalReader | None = None
        self._file: tuple[int, int] | None = None

    def read(self) -> str:
        """The present version; never raises."""
        with self._lock:
            try:
                return f"{self._server}-{self._read()}"
            except (OSError, JournalError, sqlite3.Error):
                self._close()
                return f"{self._server}-{UNREADABLE}"

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._close()

    def _read(self) -> str:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._close()
            return ABSENT
        file = (found.st_dev, found.st_ino)
        if self._reader is None or file != self._file:
            self._close()
            self._reader, self._file = JournalReader(self._path), file
        return f"{found.st_ino}-{self._reader.data_version}"

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

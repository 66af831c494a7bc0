"""Waiting for other processes that lock a ledger: reported after a second, bounded to ten.

SQLite's locks are those of the operating system, which releases those of a process that ended,
however it ended. A lock that lasts is held by a process that runs, or that was stopped.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.core.errors import LedgerUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

WAIT_S = 10.0
"""How long a process waits for a ledger altogether. An access that waits less than
`NOTIFY_AFTER_S` gives all of it back: a lock that lasts delays a command once, not each access."""

NOTIFY_AFTER_S = 1.0
SLICE_S = 0.1
"""How long SQLite waits at a time; between two times an interrupt is seen."""

LOCKS_FILE = Path("/proc/locks")


def ignore_wait(text: str) -> None:
    """Tells nobody."""


class LedgerPatience:
    """What is left of `WAIT_S` for one ledger."""

    def __init__(self) -> None:
        self.left_s = WAIT_S

    def acquire(
        self,
        path: Path,
        access: Callable[[], T],
        on_wait: Callable[[str], None] = ignore_wait,
        limit_s: float = WAIT_S,
    ) -> T:
        """The result of an access that needs a lock.

        Args:
            path: The ledger.
            access: Tried again as long as the ledger is locked.
            on_wait: Called once, after a second, with a sentence.
            limit_s: Seconds to wait at most, if more are left.

        Raises:
            LedgerUnreachableError: The lock was not released in time.
        """
        began = time.monotonic()
        limit_s = min(limit_s, self.left_s)
        is_reported = False
        while True:
            try:
                result = access()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                waited = time.monotonic() - began
                if waited >= limit_s:
                    self.left_s = max(0.0, self.left_s - waited)
                    raise _locked_error(path, waited) from error
                if waited >= NOTIFY_AFTER_S and not is_reported:
                    is_reported = True
                    on_wait(f"waiting for the trial ledger {path}, locked by {find_holder(path)}")
            else:
                waited = time.monotonic() - began
                is_prompt = waited < NOTIFY_AFTER_S
                self.left_s = WAIT_S if is_prompt else max(0.0, self.left_s - waited)
                return result


_PATIENCES: dict[Path, LedgerPatience] = {}


def patience_for(path: Path) -> LedgerPatience:
    """The one patience of this process for a ledger.

    Args:
        path: Its absolute path.
    """
    return _PATIENCES.setdefault(path, LedgerPatience())


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the lock; the low byte is the code, the rest its reason."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def find_holder(path: Path, locks: Path = LOCKS_FILE) -> str:
    """The process that locks a file, as `process 4711`, where the operating system says.

    Args:
        path: The file.
        locks: Linux's table of locks.
    """
    try:
        status = path.stat()
        lines = locks.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return "another process"
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        # 1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 1073741825 1073741825
        fields = line.split()
        if len(fields) > 5 and fields[5] == device and int(fields[4]) != os.getpid():
            return f"process {fields[4]}"
    return "another process"


def _locked_error(path: Path, waited: float) -> LedgerUnreachableError:
    return LedgerUnreachableError(
        "the trial ledger is locked",
        expected=f"a lock that is released within {WAIT_S:.0f} s",
        found=f"locked by {find_holder(path)} for at least {waited:.1f} s",
        where=str(path),
        fix="end that process, or let it finish, and run again; a lock ends with its process",
    )

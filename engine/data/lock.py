"""One process at a time, by a lock that dies with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import DataError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 600.0
"""Seconds to wait for another process; a pull that takes longer is hung."""

_TELL_S = 1.0
_POLL_S = 0.05


@contextmanager
def alone(
    path: Path, waiting: Callable[[str], None], patience_s: float = PATIENCE_S
) -> Iterator[None]:
    """Around what only one process, and one thread of it, may do at a time.

    The operating system keeps the lock and lets go of it when the process ends, however that
    ends: a file that a dead process left behind blocks nobody.

    Args:
        path: The lock's file; it stays.
        waiting: Told once of the process that is waited for, as `process 4711`.
        patience_s: Seconds to wait.

    Raises:
        UnreachableError: Another process did not let go in time.
        DataError: The file cannot be written.
    """
    descriptor = _opened(path)
    try:
        _acquire(descriptor, path, waiting, patience_s)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)  # which lets go of the lock


def unwritable(path: Path, error: OSError) -> DataError:
    """The error of a folder in which bars cannot be kept."""
    return DataError(
        "pulled bars cannot be kept",
        expected="a folder that can be written, on a disk that is not full",
        found=f"{type(error).__name__}: {error.strerror or error}",
        where=str(path),
        fix="make room or correct the rights, or let BACKTEST_HOME name another folder",
    )


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _acquire(
    descriptor: int, path: Path, waiting: Callable[[str], None], patience_s: float
) -> None:
    began = time.monotonic()
    told = False
    while not _try(descriptor):
        waited = time.monotonic() - began
        holder = path.read_text(encoding="ascii", errors="replace").strip()
        who = f"process {holder}" if holder else "another process"
        if waited > patience_s:
            raise UnreachableError(
                f"{who} has been pulling the same bars for {patience_s:.0f} s",
                where=str(path),
                fix="end that process and run again",
            )
        if waited > _TELL_S and not told:
            told = True
            waiting(who)
        time.sleep(_POLL_S)


if sys.platform == "win32":
    import msvcrt

    # Far past what is written, as a locked byte cannot be read by others.
    _PLACE = 1 << 20

    def _try(descriptor: int) -> bool:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

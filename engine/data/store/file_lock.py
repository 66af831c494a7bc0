"""One process at a time, by a lock that dies with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.core.errors import DataError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCK_TIMEOUT_S = 600.0
"""Seconds to wait for another process; a pull that takes longer is hung."""

_NOTIFY_AFTER_S = 1.0
_POLL_INTERVAL_S = 0.05


@contextmanager
def exclusive_lock(
    path: Path, on_wait: Callable[[str], None], timeout_s: float = LOCK_TIMEOUT_S
) -> Iterator[None]:
    """Around what only one process, and one thread of it, may do at a time.

    The operating system keeps the lock and lets go of it when the process ends, however that
    ends: a file that a dead process left behind blocks nobody.

    Args:
        path: The lock's file; it stays.
        on_wait: Told once of the process that is waited for, as `process 4711`.
        timeout_s: Seconds to wait.

    Raises:
        UnreachableError: Another process did not let go in time.
        DataError: The file cannot be written.
    """
    descriptor = _open_lock_file(path)
    try:
        _acquire(descriptor, path, on_wait, timeout_s)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)  # which lets go of the lock


def unwritable_folder_error(path: Path, error: OSError) -> DataError:
    """The error of a folder in which bars cannot be kept."""
    return DataError(
        "pulled bars cannot be kept",
        expected="a folder that can be written, on a disk that is not full",
        found=f"{type(error).__name__}: {error.strerror or error}",
        where=str(path),
        fix="make room or correct the rights, or let BACKTEST_HOME name another folder",
    )


def _open_lock_file(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable_folder_error(path.parent, error) from error


def _acquire(
    descriptor: int, path: Path, on_wait: Callable[[str], None], timeout_s: float
) -> None:
    began = time.monotonic()
    told = False
    while not _try_lock(descriptor):
        waited = time.monotonic() - began
        holder = path.read_text(encoding="ascii", errors="replace").strip()
        who = f"process {holder}" if holder else "another process"
        if waited > timeout_s:
            raise UnreachableError(
                f"{who} has been pulling the same bars for {timeout_s:.0f} s",
                where=str(path),
                fix="end that process and run again",
            )
        if waited > _NOTIFY_AFTER_S and not told:
            told = True
            on_wait(who)
        time.sleep(_POLL_INTERVAL_S)


if sys.platform == "win32":
    import msvcrt

    # Far past what is written, as a locked byte cannot be read by others.
    _LOCK_OFFSET = 1 << 20

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

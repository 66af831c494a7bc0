"""One process at a time: a lock that the operating system releases when its process ends."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.core.errors import UnreachableError
from engine.core.home import CHOOSE_HOME
from engine.core.storage import create_private_folder, translate_disk_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.core.errors import BacktestError

LOCK_TIMEOUT_S = 600.0
"""Seconds to wait for another process; a pull that takes longer is taken to hang."""

CANNOT_STORE_BARS = "pulled bars cannot be stored"

_NOTIFY_AFTER_S = 1.0
# Windows locks the first byte of the file, which no other process can then read.
_HOLDER_OFFSET = 1


def _pulling_error(holder: str, path: Path, timeout_s: float) -> BacktestError:
    return UnreachableError(
        f"{holder} has been pulling the same bars for {timeout_s:.0f} s",
        where=str(path),
        fix="end that process and run again",
    )


@contextmanager
def exclusive_lock(
    path: Path,
    on_wait: Callable[[str], None],
    timeout_s: float = LOCK_TIMEOUT_S,
    *,
    busy_error: Callable[[str, Path, float], BacktestError] = _pulling_error,
    cannot_write: str = CANNOT_STORE_BARS,
) -> Iterator[None]:
    """A section that one process, and one thread of it, enters at a time.

    The operating system releases the lock when the process ends, however it ends: a file that a
    dead process left does not block another.

    Args:
        path: The lock's file; it stays.
        on_wait: Called once with the process that is waited for, as `process 4711`.
        timeout_s: Seconds to wait.
        busy_error: Makes the error of a lock that another process holds, from that process, the
            file and the seconds.
        cannot_write: What an error about the file says.

    Raises:
        UnreachableError: Another process did not release the lock in time, or the error of
            `busy_error`.
        StorageError: The file cannot be written.
    """
    lock = FileLock(path, preserve_lock_file=True, on_acquired=_write_holder)
    with translate_disk_faults(cannot_write, path, CHOOSE_HOME):
        create_private_folder(path.parent)
        if not _acquire(lock, path, on_wait, timeout_s):
            raise busy_error(_read_holder(path), path, timeout_s)
    try:
        yield
    finally:
        lock.release()


def find_lock_holder(path: Path) -> str | None:
    """The process that holds a lock, as `process 4711`; None where none does."""
    lock = FileLock(path, preserve_lock_file=True)
    if not path.exists():
        return None
    try:
        # A process that takes the lock meanwhile waits longer than this one holds it.
        lock.acquire(blocking=False)
    except Timeout:
        return _read_holder(path)
    lock.release()
    return None


def _acquire(lock: FileLock, path: Path, on_wait: Callable[[str], None], timeout_s: float) -> bool:
    with suppress(Timeout):
        lock.acquire(timeout=min(timeout_s, _NOTIFY_AFTER_S))
        return True
    if timeout_s > _NOTIFY_AFTER_S:
        on_wait(_read_holder(path))
    with suppress(Timeout):
        lock.acquire(timeout=max(0.0, timeout_s - _NOTIFY_AFTER_S))
        return True
    return False


def _write_holder(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, _HOLDER_OFFSET, os.SEEK_SET)
    os.write(descriptor, str(os.getpid()).encode())


def _read_holder(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        file.seek(_HOLDER_OFFSET)
        process = file.read().decode("ascii", errors="replace").strip()
    return f"process {process}" if process else "another process"

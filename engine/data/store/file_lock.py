"""One process at a time: a lock that the operating system releases when its process ends."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.core.errors import UnreachableError
from engine.core.home import CHOOSE_HOME
from engine.core.storage import create_private_folder, translate_disk_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCK_TIMEOUT_S = 600.0
"""Seconds to wait for another process; a pull that takes longer is taken to hang."""

CANNOT_STORE_BARS = "pulled bars cannot be stored"

_NOTIFY_AFTER_S = 1.0
# Windows locks the first byte of the file, which no other process can then read.
_HOLDER_OFFSET = 1


@contextmanager
def exclusive_lock(
    path: Path, on_wait: Callable[[str], None], timeout_s: float = LOCK_TIMEOUT_S
) -> Iterator[None]:
    """A section that one process, and one thread of it, enters at a time.

    The operating system releases the lock when the process ends, however it ends: a file that a
    dead process left does not block another.

    Args:
        path: The lock's file; it stays.
        on_wait: Called once with the process that is waited for, as `process 4711`.
        timeout_s: Seconds to wait.

    Raises:
        UnreachableError: Another process did not release the lock in time.
        StorageError: The file cannot be written.
    """
    lock = FileLock(path, preserve_lock_file=True, on_acquired=_write_holder)
    with translate_disk_faults(CANNOT_STORE_BARS, path, CHOOSE_HOME):
        create_private_folder(path.parent)
        _acquire(lock, path, on_wait, timeout_s)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, path: Path, on_wait: Callable[[str], None], timeout_s: float) -> None:
    try:
        lock.acquire(timeout=min(timeout_s, _NOTIFY_AFTER_S))
    except Timeout:
        holder = _read_holder(path)
    else:
        return
    try:
        if timeout_s > _NOTIFY_AFTER_S:
            on_wait(holder)
        lock.acquire(timeout=max(0.0, timeout_s - _NOTIFY_AFTER_S))
    except Timeout:
        raise UnreachableError(
            f"{holder} has been pulling the same bars for {timeout_s:.0f} s",
            where=str(path),
            fix="end that process and run again",
        ) from None


def _write_holder(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, _HOLDER_OFFSET, os.SEEK_SET)
    os.write(descriptor, str(os.getpid()).encode())


def _read_holder(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        file.seek(_HOLDER_OFFSET)
        process = file.read().decode("ascii", errors="replace").strip()
    return f"process {process}" if process else "another process"

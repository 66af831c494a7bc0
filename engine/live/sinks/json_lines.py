"""JSON lines: on standard output, and appended to a file."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from typing_extensions import override

from engine.core.errors import UsageError
from engine.core.storage import describe_fault, translate_disk_faults
from engine.live.sinks.message import to_json_line
from engine.live.sinks.sink import DeliveryError, Sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from engine.live.sinks.message import SinkMessage

REREAD_BYTES = 4 << 20
"""End of the file in which a message is looked for that may have been written before."""

FIRST_BYTES = b'{"account":"'
"""Every line begins with them: the keys are sorted."""

_STDOUT_LOCK = Lock()
_OWNER_ONLY = 0o600


class StdoutSink(Sink):
    """One line for each message on standard output.

    It writes to the descriptor: a thread that waits in a write of `sys.stdout`, since nobody reads
    the pipe, would crash the interpreter when that ends.

    Args:
        descriptor: 1 is standard output.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    @override
    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        """See `Sink`; a line is taken when the pipe or terminal has it."""
        line = f"{to_json_line(message)}\n".encode()
        try:
            with _STDOUT_LOCK:  # the sinks of several accounts share it
                _write_all(self._descriptor, line)
        except OSError as error:
            raise DeliveryError(describe_fault(error)) from None


class FileSink(Sink):
    """One line for each message, appended to a file and synced to the disk.

    A line that a crash cut short is removed before the next one is written, and a message that
    the end of the file has is not written again. The file may be rotated at any time.

    Args:
        path: The file; created for its owner alone.

    Raises:
        UsageError: It ends with text that no sink wrote.
        StorageError: It is no regular file, or cannot be created or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_checked = False
        with (
            translate_disk_faults("the file of a sink cannot be written", path),
            self._open() as descriptor,
        ):
            size = _cut_torn_line(descriptor, path)
            if not _last_line(descriptor, size).startswith(FIRST_BYTES if size else b""):
                raise _foreign_error(path)

    @override
    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        """See `Sink`; a line is taken when it is on the disk."""
        line = f"{to_json_line(message)}\n".encode()
        is_checked, self._is_checked = self._is_checked, False
        try:
            with self._open() as descriptor:
                size = _cut_torn_line(descriptor, self.path)
                if is_checked or not _has_key(descriptor, size, message.key):
                    _append(descriptor, size, line)
        except OSError as error:
            raise DeliveryError(describe_fault(error)) from None
        except UsageError as error:
            raise DeliveryError(error.problem) from None
        self._is_checked = True

    @contextmanager
    def _open(self) -> Iterator[int]:
        """The file, locked against other sinks of the same file."""
        is_new = not self.path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self.path, flags, _OWNER_ONLY)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), str(self.path))
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # released when it is closed
            if is_new:
                _sync_folder(self.path.parent)
            yield descriptor
        finally:
            os.close(descriptor)


def _append(descriptor: int, size: int, line: bytes) -> None:
    """Appends a line that is on the disk afterwards, or leaves the file as it was."""
    try:
        _write_all(descriptor, line)
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def _write_all(descriptor: int, line: bytes) -> None:
    written = 0
    while written < len(line):
        written += os.write(descriptor, line[written:])


def _sync_folder(folder: Path) -> None:
    """Makes the entry of a new file last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cut_torn_line(descriptor: int, path: Path) -> int:
    """Removes what follows the last line break, which a crash left; returns the size.

    Raises:
        UsageError: It is not the beginning of a line of a sink.
    """
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    end = os.pread(descriptor, REREAD_BYTES, max(0, size - REREAD_BYTES))
    torn = end[end.rfind(b"\n") + 1 :]
    begun = torn.rstrip(b"\0")  # a power failure can leave zeros where data was to be written
    if len(torn) == len(end) < size or begun[: len(FIRST_BYTES)] != FIRST_BYTES[: len(begun)]:
        raise _foreign_error(path)
    os.ftruncate(descriptor, size - len(torn))
    return size - len(torn)


def _last_line(descriptor: int, size: int) -> bytes:
    """The last whole line, or its end where it is long."""
    end = os.pread(descriptor, REREAD_BYTES, max(0, size - REREAD_BYTES))
    return end[end.rfind(b"\n", 0, -1) + 1 :]


def _foreign_error(path: Path) -> UsageError:
    return UsageError(
        "the file of a sink ends with text that no sink wrote",
        expected="a new or empty file, or one that a sink has written",
        found="other text, which stays as it is",
        where=str(path),
        fix="name another file",
    )


def _has_key(descriptor: int, size: int, key: str) -> bool:
    """Whether the end of the file has a line with this key."""
    end = os.pread(descriptor, REREAD_BYTES, max(0, size - REREAD_BYTES))
    return any(_read_key(line) == key for line in end.split(b"\n") if key.encode() in line)


def _read_key(line: bytes) -> object:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):  # a line of another program
        return None
    return document.get("key") if isinstance(document, dict) else None

"""Reads a file that a user names: a regular file only, and never more than a bound."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

from engine.core.errors import BacktestError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: Path, what: str, error: type[BacktestError] = UsageError) -> IO[bytes]:
    """Opens a regular file for reading in binary mode; it never waits for another process.

    A pipe, a device or a socket is refused, also as /dev/stdin or as `<(command)` of a shell:
    files are read more than once, and paths in them are relative to their folder. /dev/stdin that
    is redirected from a regular file is one.

    Args:
        path: The file.
        what: What the file should be, for the message: `a strategy`.
        error: Class of the error about a file of another kind.

    Raises:
        BacktestError: The file is a pipe, a device or a socket; of the class `error`.
        OSError: There is no such file, it is a folder, or it cannot be opened.
    """
    # A device may act when it is opened, so the kind is asked for before; and again after, because
    # the path may name another file by then.
    try:
        mode = path.stat().st_mode
    except ValueError:
        raise OSError(errno.EINVAL, "a path holds no null character", str(path)) from None
    _require_regular(mode, path, what, error)
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        _require_regular(os.fstat(descriptor).st_mode, path, what, error)
        return os.fdopen(descriptor, "rb")  # a folder is an IsADirectoryError here
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(
    path: Path, *, max_bytes: int, what: str, error: type[BacktestError] = UsageError
) -> bytes:
    """All bytes of a regular file of at most `max_bytes`.

    Args:
        path: The file.
        max_bytes: The bound, see `engine.core.limits`.
        what: What the file should be, for the message: `a strategy`.
        error: Class of the error about a file of another kind or above the bound.

    Raises:
        BacktestError: The file is larger, or is a pipe, a device or a socket; of the class
            `error`.
        OSError: There is no such file, it is a folder, or it cannot be read.
    """
    with open_regular(path, what, error) as file:
        size = os.fstat(file.fileno()).st_size
        # A file may grow while it is read, and those of /proc say that they are empty.
        raw = file.read(max_bytes + 1) if size <= max_bytes else b""
    if size > max_bytes or len(raw) > max_bytes:
        raise error(
            f"the file is too large for {what}",
            expected=f"at most {max_bytes:,} bytes",
            found=f"{max(size, len(raw)):,} bytes or more",
            where=str(path),
            fix=f"name {what} instead",
        )
    return raw


def _require_regular(mode: int, path: Path, what: str, error: type[BacktestError]) -> None:
    kind = _KINDS.get(stat.S_IFMT(mode))
    if kind is not None:
        raise error(
            f"{kind} cannot be read as {what}",
            expected="a regular file",
            found=kind,
            where=str(path),
            fix="write its content to a file, and name that",
        )

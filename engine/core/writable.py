"""Tries, before any work, whether what a command will write can be written.

The folder is not created, so that a command that fails later leaves nothing behind: a file without
a name is written to the nearest folder that exists, and every name below it is measured.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import StorageError
from engine.core.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIN_FREE_BYTES = 2**20
"""Free space without which nothing is begun: the folder of a run over 460 bars with four books has
0.8 MB with pages (measured), and the ledger's journal needs some more."""

PROBE_BYTES = 2**16
"""Size of the file that is tried: more than a file system keeps inside of its own tables."""


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class OutputPlace:
    """A file or folder that a command writes.

    Attributes:
        name: What it is, for the error: `the folder of the runs`.
        otherwise: How another one is chosen: `name another folder with --out`.
        free_bytes: Free space of a folder's disk, in bytes.
    """

    name: str
    otherwise: str
    free_bytes: Callable[[Path], int] = _free_bytes

    def require_folder(self, folder: Path, *inside: str) -> None:
        """Tries whether a folder is there or can be created, and files can be written to it.

        Args:
            folder: The folder.
            inside: Paths relative to it that will be written, for the limits on names.

        Raises:
            StorageError: It cannot, or less than `MIN_FREE_BYTES` are free.
        """
        try:
            base = _nearest_folder(folder)
            for path in (folder, *(folder / each for each in inside)):
                _require_short(path.absolute(), base)
            _write_probe(base)
            free = self.free_bytes(base)
        except OSError as error:
            raise self._error(folder, error) from error
        if free < MIN_FREE_BYTES:
            raise StorageError(
                f"{self.name} cannot be written",
                expected=f"at least {MIN_FREE_BYTES:,} bytes free",
                found=f"{free:,} bytes free",
                where=str(folder),
                fix=f"free some space, or {self.otherwise}",
            )

    def require_file(self, path: Path) -> None:
        """Tries whether a file can be written, or replaced, in a folder that exists.

        Raises:
            StorageError: It cannot; as for `require_folder`.
        """
        try:
            if path.is_dir():
                raise _fault(errno.EISDIR, path)
            if path.exists() and not path.is_file():
                return  # a pipe or a device has neither a size nor a folder to try
            if path.is_symlink():
                with suppress(FileNotFoundError):  # the target is created
                    path.stat()
            if not path.parent.exists():
                raise _fault(errno.ENOENT, path.parent)
            if path.exists():
                with path.open("ab"):
                    pass
        except OSError as error:
            raise self._error(path, error) from error
        self.require_folder(path.parent, path.name)

    def warn_if_small(self, folder: Path, needed: int) -> str | None:
        """A sentence where less is free than will be written by an estimate; else None.

        Args:
            folder: Where it will be written.
            needed: The estimate, in bytes.
        """
        try:
            free = self.free_bytes(_nearest_folder(folder))
        except OSError:  # tried before; whoever writes tells what changed since
            return None
        if free >= needed:
            return None
        return (
            f"{self.name}, {folder}, may run out of space: {free / 1e6:,.0f} MB are free, and up "
            f"to {needed / 1e6:,.0f} MB are written"
        )

    def _error(self, path: Path, error: OSError) -> StorageError:
        return storage_error(f"{self.name} cannot be written", path, error, self.otherwise)


def _nearest_folder(folder: Path) -> Path:
    """The folder itself or the nearest above it that exists.

    Raises:
        OSError: A file, a device or a dangling link is where a folder has to be.
    """
    if "\0" in str(folder):
        raise _fault(errno.EINVAL, folder)
    for each in (folder, *folder.absolute().parents):
        if each.is_dir():
            return each
        if os.path.lexists(each):
            each.stat()  # tells a loop or a dangling link
            raise _fault(errno.ENOTDIR, each)
    raise _fault(errno.ENOENT, folder)


def _require_short(path: Path, base: Path) -> None:
    """The limits of the file system on the length of a name and of a path, in bytes."""
    if hasattr(os, "pathconf"):
        longest, deepest = os.pathconf(base, "PC_NAME_MAX"), os.pathconf(base, "PC_PATH_MAX")
        long_name = any(len(os.fsencode(part)) > longest for part in path.parts)
        if long_name or len(os.fsencode(path)) >= deepest:
            raise _fault(errno.ENAMETOOLONG, path)


def _write_probe(folder: Path) -> None:
    """Writes a file that has no name and vanishes with this process, and flushes it to the disk.

    Some file systems tell that they are full when a file is flushed.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        if error.errno is None:
            raise
        raise _fault(error.errno, folder) from error


def _fault(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))

"""Files that are complete or as they were before, and one error where a disk refuses them."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from engine.core.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_MODE = 0o700
"""Mode of folders that only their owner may enter (XDG Base Directory Specification)."""

DRAFT_SUFFIX = ".draft"

_FIXES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some of your quota",
    errno.EROFS: "mount it so that it can be written",
    errno.EACCES: "correct the permissions",
    errno.EPERM: "correct the permissions",
    errno.EIO: "check the disk",
    errno.ENAMETOOLONG: "use shorter names",
    errno.EISDIR: "move the folder of that name away",
    errno.ENOTEMPTY: "move the folder of that name away",
    errno.ENOTDIR: "move the file that is in the way",
    errno.EEXIST: "move what is in the way",
    errno.ELOOP: "correct the symbolic link",
    errno.EFBIG: "raise the limit on the size of a file (`ulimit -f`)",
    errno.ENOENT: "create the folder",
    errno.ENXIO: "name a regular file or folder",
    errno.ENODEV: "name a regular file or folder",
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
    errno.ENFILE: "close other programs that hold files open",
    errno.ESTALE: "mount the network drive again",
    errno.EBUSY: "end the program that uses it",
    errno.ETXTBSY: "end the program that uses it",
}
"""What a user can do about each fault of a disk. Faults of a network are not among them."""


def find_disk_fault(error: BaseException) -> OSError | None:
    """The error itself if a file system raised it, and not a network or the engine; else None."""
    if isinstance(error, (ConnectionError, TimeoutError)) or not isinstance(error, OSError):
        return None
    return error if error.errno in _FIXES else None


def describe_fault(error: OSError) -> str:
    """The fault with its symbol: `No space left on device (ENOSPC)`."""
    symbol = errno.errorcode.get(error.errno or 0)
    text = error.strerror or str(error) or type(error).__name__
    return f"{text} ({symbol})" if symbol else text


def storage_error(problem: str, path: Path | str, error: OSError, otherwise: str) -> StorageError:
    """The error of a file or folder that a disk refuses.

    Args:
        problem: One sentence: what cannot be written or read.
        path: The file or folder; another one that is the reason is named beside the fault.
        error: What the operating system says.
        otherwise: What can be done instead of repairing the disk; may be empty.
    """
    found = describe_fault(error)
    refused = error.filename if isinstance(error.filename, str) else ""
    if refused and refused != str(path) and not refused.endswith(DRAFT_SUFFIX):
        found = f"{found}: {refused}"
    fixes = [_FIXES.get(error.errno or 0, "make it readable and writable"), otherwise]
    return StorageError(
        problem,
        expected="a place that can be read and written, on a disk with space left",
        found=found,
        where=str(path),
        fix=", or ".join(fix for fix in fixes if fix),
    )


@contextmanager
def translate_disk_faults(problem: str, path: Path | str, otherwise: str = "") -> Iterator[None]:
    """Context of a write: raises any fault of the disk as a StorageError, none of a network.

    Args:
        problem: As for `storage_error`.
        path: The file or folder that is written.
        otherwise: As for `storage_error`.

    Raises:
        StorageError: A file could not be written.
    """
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        raise storage_error(problem, path, error, otherwise) from error


def create_private_folder(folder: Path) -> None:
    """Creates a folder, and every missing one above it, for its owner alone.

    Folders that exist keep their mode.

    Raises:
        OSError: It cannot be created, or a file has its name.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


@contextmanager
def replace_atomically(path: Path, draft_prefix: str = "") -> Iterator[Path]:
    """A draft to write that takes the place of `path` on success, and vanishes on any failure.

    Where `path` is a symbolic link, its target is replaced; an earlier file's mode is kept. The
    draft's name is `draft_prefix`, which may be empty, and `.HEX.draft`.

    Raises:
        OSError: It cannot be renamed: a folder has the name.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    draft = target.with_name(f"{draft_prefix}.{uuid4().hex}{DRAFT_SUFFIX}")
    try:
        yield draft
        if target.is_file():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_file(path: Path, content: bytes | str) -> None:
    """Writes a file that is complete or as it was before; to a pipe or a device as it comes.

    Args:
        path: The file.
        content: All of it; text is written in UTF-8, with its line ends as they are.

    Raises:
        OSError: It cannot be written.
    """
    raw = content if isinstance(content, bytes) else content.encode()
    if path.exists() and not path.is_file():
        path.write_bytes(raw)
        return
    with replace_atomically(path) as draft:
        draft.write_bytes(raw)

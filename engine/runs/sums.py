"""`SHA256SUMS` of a run folder: the hash of every file, in the form that `sha256sum -c` checks."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.core.errors import UsageError
from engine.core.limits import MAX_SUMS_BYTES
from engine.core.read_file import open_regular, read_bytes
from engine.core.storage import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SUMS_FILE = "SHA256SUMS"
SIGNATURE_FILE = f"{SUMS_FILE}.sig"

_READ_BYTES = 1 << 20
_OF_THEMSELVES = frozenset({SUMS_FILE, SIGNATURE_FILE})
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\n\0]+)")


class FileDifference(NamedTuple):
    """A file that is not the one whose hash was noted.

    Attributes:
        name: Of the file.
        kind: `changed`, `removed` or `added`; `unreadable` of one that is no regular file.
        expected: Its noted hash; None where none is.
        found: Its hash; None where it has none.
    """

    name: str
    kind: Literal["changed", "removed", "added", "unreadable"]
    expected: str | None = None
    found: str | None = None


def write_sums(folder: Path) -> None:
    """Writes the hashes of all files of a folder; the last file that is written to it."""
    _write(folder, {name: hash_file(folder / name) for name in _list_files(folder)})


def renew_sums(folder: Path, names: Iterable[str]) -> bool:
    """Notes the hashes of some files anew, and leaves those of all others as they are.

    Args:
        folder: A run folder.
        names: Files that were written again.

    Returns:
        Whether the folder has sums; an earlier version wrote none, and none are begun, as nothing
        is known of changes before.

    Raises:
        UsageError: The file of the sums is damaged.
    """
    if not (folder / SUMS_FILE).exists():
        return False
    renewed = {name: hash_file(folder / name) for name in names}
    _write(folder, {**read_sums(folder), **renewed})
    return True


def read_sums(folder: Path) -> dict[str, str]:
    """File -> its noted hash.

    Raises:
        UsageError: There is no such file, or a line of it is no sum.
    """
    path = folder / SUMS_FILE
    try:
        raw = read_bytes(path, max_bytes=MAX_SUMS_BYTES, what="the hashes of a run")
        lines = raw.decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in sums or found[2] in _OF_THEMSELVES:
            raise _damaged(path, f"line {number}: {line[:80]!r}")
        sums[found[2]] = found[1]
    return sums


def find_file_differences(folder: Path) -> list[FileDifference]:
    """The files that are not those whose hashes were noted, by name.

    Raises:
        UsageError: As `read_sums`.
    """
    noted, there = read_sums(folder), set(_list_files(folder))
    found = []
    for name in sorted(noted.keys() | there):
        if name not in there:
            found.append(FileDifference(name, "removed", noted[name]))
        elif (folder / name).is_symlink() or not (folder / name).is_file():
            found.append(FileDifference(name, "unreadable", noted.get(name)))
        elif name not in noted:
            found.append(FileDifference(name, "added", None, hash_file(folder / name)))
        elif (own := hash_file(folder / name)) != noted[name]:
            found.append(FileDifference(name, "changed", noted[name], own))
    return found


def hash_file(path: Path) -> str:
    """SHA-256 of the bytes of a file, 64 hex digits.

    Raises:
        UsageError: It is no regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path, "a file of a run") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _list_files(folder: Path) -> list[str]:
    """Everything in the folder but the sums and their signature."""
    return sorted(path.name for path in folder.iterdir() if path.name not in _OF_THEMSELVES)


def _write(folder: Path, sums: Mapping[str, str]) -> None:
    text = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    write_file(folder / SUMS_FILE, text)


def _damaged(path: Path, found: str) -> UsageError:
    return UsageError(
        "the hashes of this run folder cannot be read",
        expected="lines of a SHA-256, two spaces and the name of a file, each name once",
        found=found,
        where=str(path),
        fix="take the folder from a copy that was not changed, or run the strategy again",
    )

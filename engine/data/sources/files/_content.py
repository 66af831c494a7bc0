"""The content of a file: what kind it is by its first bytes, and its bytes decompressed."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Literal, Protocol, cast

import pyarrow as pa

from engine.core import limits
from engine.core.errors import InvalidBarsError
from engine.core.read_file import open_regular
from engine.data.sources.files._shown import list_names, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

ContentKind = Literal["text", "json", "parquet", "arrow"]
Compression = Literal["none", "gzip", "bz2", "zstd", "xz", "zip"]
"""Of a zip, one member is read."""

_HEAD_BYTES = 1 << 18
"""Bytes that hold the lines before the header, the header and the first bars."""

_BLOCK_BYTES = 1 << 20

_COMPRESSIONS: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_PLAIN: Compression = "none"
_STREAMED: dict[Compression, str] = {"gzip": "gzip", "bz2": "bz2", "zstd": "zstd"}

_SPREADSHEET = ("a spreadsheet of Excel", "save its sheet as CSV (File, Save as, CSV UTF-8)")
_UNREAD_KINDS = {
    b"\xd0\xcf\x11\xe0": _SPREADSHEET,
    b"\x89HDF": ("HDF5", "write CSV or Parquet: `pandas.read_hdf(FILE).to_parquet(...)`"),
    b"SQLite format 3": ("a database of SQLite", "write its table as CSV or Parquet"),
    b"\x93NUMPY": ("an array of NumPy", "write CSV or Parquet with names of columns"),
    b"\x80\x02": ("a pickle", "write CSV or Parquet: `pandas.read_pickle(FILE).to_parquet(...)`"),
    b"\x80\x03": ("a pickle", "write CSV or Parquet: `pandas.read_pickle(FILE).to_parquet(...)`"),
    b"\x80\x04": ("a pickle", "write CSV or Parquet: `pandas.read_pickle(FILE).to_parquet(...)`"),
    b"\x80\x05": ("a pickle", "write CSV or Parquet: `pandas.read_pickle(FILE).to_parquet(...)`"),
    b"%PDF": ("a PDF document", "download the data as CSV"),
    b"ORC": ("ORC", "write CSV or Parquet"),
    b"Obj\x01": ("Avro", "write CSV or Parquet"),
    b"DBN": ("DBN of Databento", "write CSV or Parquet: `databento.DBNStore.to_parquet(...)`"),
    b"7z\xbc\xaf": ("an archive of 7-Zip", "unpack it"),
    b"Rar!": ("an archive of RAR", "unpack it"),
    b"FEA1": ("Feather of version 1", "write Parquet or Feather of version 2"),
    b"version https://git-lfs.github.com/spec/": (
        "a pointer of Git LFS, not the file itself",
        "fetch the file with `git lfs pull`, or download it with the button Raw or Download",
    ),
}
_TAR_MARK_AT = 257

_FORMATS = "CSV with a header line, JSON, Parquet or Feather, compressed or not"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class FileContent:
    """The content of one file.

    Attributes:
        path: The file.
        kind: What it holds once decompressed.
        compression: How it is compressed.
        head: Its first bytes, decompressed; text is UTF-8 without a byte order mark.
        data: All bytes, where they are in memory already.
    """

    path: Path
    kind: ContentKind
    compression: Compression
    head: bytes
    data: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """Whether `head` is all of it."""
        return len(self.head) < _HEAD_BYTES

    def read(self) -> bytes:
        """All bytes, decompressed.

        Raises:
            InvalidBarsError: The file is truncated or damaged.
        """
        if self.data is not None:
            return self.data
        with reading(self.path), _open_decompressed(self.path, self.compression) as file:
            return _BoundedFile(file, self.path).read()

    def stream(self) -> pa.NativeFile:
        """All bytes as a stream, which decompresses while its reader parses.

        Raises:
            InvalidBarsError: When more than `MAX_BAR_FILE_BYTES` are read from it.
        """
        if self.data is None and self.compression in _STREAMED:
            file = pa.input_stream(str(self.path), compression=_STREAMED[self.compression])
            return pa.PythonFile(_BoundedFile(file, self.path), mode="r")
        if self.data is None and self.compression == "none":
            _require_size(self.path, self.path.stat().st_size)
            return pa.input_stream(str(self.path), compression=None)
        return pa.BufferReader(self.read())

    def text(self) -> str:
        """All text; bytes that are not UTF-8 are replaced."""
        return self.read().decode("utf-8-sig", errors="replace")


class _BoundedFile(io.RawIOBase):
    """A file of which at most `MAX_BAR_FILE_BYTES` can be read.

    Args:
        file: The file, which decompresses while it is read.
        path: Its path, for the message.
    """

    def __init__(self, file: _Readable, path: Path) -> None:
        super().__init__()
        self._file, self._path, self._count = file, path, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes: all that follow where `size` is negative."""
        if size is None or size < 0:
            blocks = iter(lambda: self.read(_BLOCK_BYTES), b"")
            return b"".join(blocks)
        block = self._file.read(size)
        self._count += len(block)
        _require_size(self._path, self._count)
        return block


def _require_size(path: Path, size: int) -> None:
    if size > limits.MAX_BAR_FILE_BYTES:
        raise InvalidBarsError(
            "the file is too large",
            expected=f"at most {limits.MAX_BAR_FILE_BYTES:,} bytes after decompression",
            found="more than that",
            where=str(path),
            fix="divide it into files of one symbol each, or into longer bars",
        )


class reading:  # noqa: N801 - a context manager reads as a verb
    """Turns the errors of a truncated or damaged file into one that a user can act on.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raises an `InvalidBarsError` in place of the error of a library."""
        damaged = (
            OSError,
            EOFError,
            ValueError,
            lzma.LZMAError,
            zipfile.BadZipFile,
            pa.ArrowException,
        )
        if isinstance(error, damaged):
            raise unreadable_table(
                self.path, " ".join(str(error).split())[:200], "save or download the file again"
            ) from error


def unreadable_table(path: Path, found: str, fix: str) -> InvalidBarsError:
    """Makes the error about a file that holds no table."""
    return InvalidBarsError(
        "this file cannot be read as a table",
        expected=_FORMATS,
        found=found,
        where=str(path),
        fix=fix,
    )


def open_content(path: Path, ticker: str, *, whole_lines: bool = False) -> FileContent:
    """Finds out what a file is by its first bytes, whatever its name.

    Args:
        path: The file.
        ticker: The source's name of the symbol, which chooses among the members of an archive.
        whole_lines: Whether another program may be writing the file: text is then read at once,
            without a last line that has no line break yet.

    Raises:
        InvalidBarsError: The file is empty, damaged, or of a kind that is not read.
    """
    with reading(path), open_regular(path, "a table", InvalidBarsError) as file:
        start = file.read(512)
    if not start:
        raise unreadable_table(path, "an empty file", "save or download the file again")
    compressions = (name for mark, name in _COMPRESSIONS.items() if start.startswith(mark))
    compression = next(compressions, _PLAIN)
    data = None
    if compression == "zip":
        data = _read_archive_member(path, ticker)
        head = data[:_HEAD_BYTES]
    else:
        with reading(path), _open_decompressed(path, compression) as opened:
            head = opened.read(_HEAD_BYTES)
    _refuse_unread_kinds(path, head)
    if head.startswith(b"PAR1"):
        return FileContent(path, "parquet", compression, head, data)
    if head.startswith(b"ARROW1"):
        return FileContent(path, "arrow", compression, head, data)
    return _read_text(FileContent(path, "text", compression, head, data), whole_lines=whole_lines)


def _read_text(content: FileContent, *, whole_lines: bool) -> FileContent:
    """Text as UTF-8, or JSON.

    Raises:
        InvalidBarsError: It is neither, or no line has ended.
    """
    path, head = content.path, content.head
    encoding = _find_encoding(head)
    if encoding != "utf-8":
        text = content.read().decode(encoding, errors="replace").encode()
        content = replace(content, head=text[:_HEAD_BYTES], data=text)
    head = content.head.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in head:
        raise _not_read(path, "binary data of an unknown kind", "write CSV or Parquet")
    _refuse_pages(path, head)
    if head.lstrip()[:1] in (b"{", b"["):
        return replace(content, kind="json", head=head)
    if not whole_lines:
        return replace(content, head=head)
    text = content.read()
    text = text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1]
    if not text:
        raise unreadable_table(path, "no whole line", "end each line with a line break")
    return replace(content, head=text[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf"), data=text)


def _open_decompressed(path: Path, compression: Compression) -> IO[bytes]:
    openers: dict[Compression, Callable[[Path], object]] = {
        "none": lambda file: file.open("rb"),
        "gzip": gzip.open,
        "bz2": bz2.open,
        "xz": lzma.open,
        "zstd": lambda file: pa.input_stream(str(file), compression="zstd"),
    }
    return cast("IO[bytes]", openers[compression](path))


def _read_archive_member(path: Path, ticker: str) -> bytes:
    with reading(path), zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if any(name.startswith(("xl/", "content.xml")) for name in names):
            raise _not_read(path, *_SPREADSHEET)
        files = [name for name in names if not _is_hidden(name)]
        chosen = files if len(files) == 1 else _find_members(files, ticker)
        if len(chosen) != 1:
            raise unreadable_table(
                path,
                f"an archive of {len(files)} files: {list_names(files)}",
                f"unpack it, or leave one file in it, or one with {ticker} in its name",
            )
        with archive.open(chosen[0]) as member:
            return _BoundedFile(member, path).read()


def _is_hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def _find_members(files: list[str], ticker: str) -> list[str]:
    """The members called exactly as the symbol; otherwise those with that word in their name."""
    stems = {name: PurePosixPath(name).name.split(".")[0] for name in files}
    exact = [name for name, stem in stems.items() if stem == ticker]
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(ticker)}(?![A-Za-z0-9])", re.IGNORECASE)
    return exact or [name for name, stem in stems.items() if word.search(stem)]


def _refuse_unread_kinds(path: Path, head: bytes) -> None:
    for mark, (kind, fix) in _UNREAD_KINDS.items():
        if head.startswith(mark):
            raise _not_read(path, kind, fix)
    if head[_TAR_MARK_AT : _TAR_MARK_AT + 5] == b"ustar":
        raise _not_read(path, "an archive of tar", "unpack it")


def _refuse_pages(path: Path, head: bytes) -> None:
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        page = head.decode(errors="replace")
        low = page.lower()
        title = page[low.find("<title") :].partition(">")[2].partition("<")[0].strip()
        named = f" ({shorten(title, 60)})" if "<title" in low and title else ""
        fix = "download the data again, from its own link: the server sent a page in its place"
        raise _not_read(path, f"an HTML page{named}", fix)
    if start.startswith(b"<?xml"):
        raise _not_read(path, "XML", _SPREADSHEET[1])


def _not_read(path: Path, kind: str, fix: str) -> InvalidBarsError:
    return unreadable_table(path, kind, fix)


def _find_encoding(head: bytes) -> str:
    """UTF-8, or UTF-16 by its byte order mark or its zero bytes, or else Windows-1252."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1:2] == b"\x00" and head[3:4] == b"\x00":
        return "utf-16-le"
    if head[:1] == b"\x00" and head[2:3] == b"\x00":
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"

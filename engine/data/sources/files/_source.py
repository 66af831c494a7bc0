"""Reads bars from the files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from typing_extensions import override

from engine.core.errors import SourceError
from engine.data.calendar import is_daily_or_longer
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.files._content import open_content
from engine.data.sources.files._early_rows import drop_early_rows, when_written
from engine.data.sources.files._file_bars import FileReader
from engine.data.sources.files._files import SymbolFile, find_files
from engine.data.sources.files._labels import move_to_open
from engine.data.sources.files.formats import ResolvedFormat, read_head, resolve_format

if TYPE_CHECKING:
    from engine.data.files_config import FilesSourceSpec
    from engine.data.sources.files._content import FileContent


class FilesBarSource(BarSource):
    """Files of a folder, one or several per symbol; rows keep their order.

    The meaning of a cell is never guessed: numbers are `1234.5` and timestamps ISO 8601,
    `YYYYMMDD` or numbers since 1970 in one plausible unit, unless the source declares another
    format, or names a known form of files. What is recognised without a declaration is reported
    once.

    Args:
        spec: Folder, file names, columns, and formats of numbers and dates.
        manifest_folder: Folder of the dataset's manifest; a relative path starts there.
    """

    cache_key = None
    append_only = True

    def __init__(self, spec: FilesSourceSpec, manifest_folder: Path) -> None:
        self.spec = spec
        self.folder = manifest_folder / Path(spec.path).expanduser()
        self.label = "files"
        self._sent_notices: set[str] = set()

    def ticker(self, symbol: str) -> str:
        """The symbol as it stands in the file names."""
        return self.spec.symbols.get(symbol, symbol)

    @override
    def origin(self, symbol: str) -> str:
        """`files`, whatever the folder."""
        return "files"

    def location(self, symbol: str) -> str:
        """The symbol's file, or the pattern of its files."""
        return str(self.folder / self.spec.pattern.replace("{symbol}", self.ticker(symbol)))

    def url(self) -> None:
        """No network."""

    def find_files(self, symbol: str) -> list[SymbolFile]:
        """The files of a symbol, in their order.

        Raises:
            SourceError: There is none.
        """
        files = find_files(self.folder, self.spec.pattern, self.ticker(symbol))
        if files:
            return files
        place = Path(self.location(symbol))
        raise SourceError(
            f"no file of {symbol}",
            expected=str(place),
            found=_describe_place(place),
            where="the dataset's files source",
            fix="correct path, pattern or symbols of the source",
        )

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Returns all bars of the symbol's files, with adj_close, dividends and split if present.

        Where bars are asked for as they come, the newest is left out while its file was last
        written before the bar had ended.

        Raises:
            SourceError: There is no such file.
            InvalidBarsError: A file is not a table or not of the form that the source names, a
                column is missing or ambiguous, or a cell is not a number or timestamp, or is
                ambiguous.
        """
        files = self.find_files(request.symbol)
        written = [when_written(file.path) for file in files]
        parts = [self._read_file(file, request) for file in files]
        bars = parts[0][0] if len(parts) == 1 else pd.concat([part for part, _ in parts])
        bars = bars.reset_index(drop=True)
        by_close = any(label == "close" for _, label in parts)
        if by_close and not is_daily_or_longer(request.interval) and len(bars):
            bars["timestamp"] = move_to_open(bars["timestamp"], request.interval)
        if request.newest_only:
            rows = [len(part) for part, _ in parts]
            return drop_early_rows(bars, np.repeat(written, rows), request)
        return bars

    def _read_file(self, file: SymbolFile, request: BarRequest) -> tuple[pd.DataFrame, str]:
        """The bars of one file, and which instant labels them."""
        ticker = self.ticker(request.symbol)
        content = open_content(file.path, ticker, whole_lines=request.newest_only)
        resolved = self._resolve(content, request)
        reader = FileReader(resolved.spec, ticker, request.interval, file.day)
        read = reader.read(content)
        self._notify_once(request, (*resolved.notices, *read.notices), file.path.name)
        bars = read.bars
        if resolved.newest_first and bars["timestamp"].is_monotonic_decreasing:
            bars = bars.iloc[::-1].reset_index(drop=True)
        return bars, resolved.spec.label

    def _resolve(self, content: FileContent, request: BarRequest) -> ResolvedFormat:
        if self.spec.format is None:
            return ResolvedFormat(self.spec)
        return resolve_format(
            self.spec,
            content.path,
            read_head(content),
            daily=is_daily_or_longer(request.interval),
        )

    def _notify_once(self, request: BarRequest, notices: tuple[str, ...], name: str) -> None:
        """Sends each notice once, for the first file that it concerns; an empty one never."""
        for notice in notices:
            if notice and notice not in self._sent_notices:
                self._sent_notices.add(notice)
                request.notify(f"files: {notice} (in {name})")


_NO_FILE = "a pipe, a socket or a device, and no file that can be read again"


def _describe_place(path: Path) -> str:
    """What is where a file should be."""
    if path.is_dir():
        return f"{path} is a folder"
    if path.exists():
        return f"{path} is {_NO_FILE}"
    if path.is_symlink():
        return f"{path} is a link to {path.readlink()}, where there is nothing"
    return _list_folder(path)


def _list_folder(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(map(_name_entry, path.parent.iterdir()))
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6]) or 'an empty folder'}{more}"


def _name_entry(path: Path) -> str:
    is_plain = path.is_file() or path.is_dir() or not path.exists()
    return path.name if is_plain else f"{path.name} ({_NO_FILE})"

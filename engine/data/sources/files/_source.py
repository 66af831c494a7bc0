"""One file a symbol on this machine: CSV, CSV.gz or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.bars import VALUE_COLUMNS
from engine.data.calendar import is_daily_or_longer
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.files._columns import match_columns
from engine.data.sources.files._dates import declares_text_dates
from engine.data.sources.files._numbers import declares_number_format, parse_numbers
from engine.data.sources.files._parse_failure import ParseFailure
from engine.data.sources.files._table import read_table, unreadable_error
from engine.data.sources.files._timestamps import TimestampFormat, parse_timestamps

if TYPE_CHECKING:
    from engine.data.config import FilesSourceSpec


class FilesBarSource(BarSource):
    """Files of a folder, each read whole, its rows in the order they have.

    What a cell means is never guessed: numbers are `1234.5` and timestamps ISO 8601, `YYYYMMDD`
    or numbers since 1970 of one plausible unit, unless the source declares another form. What
    was recognised, and not declared, is told once.

    Args:
        spec: Folder, file names, columns and how cells are written.
        manifest_folder: Folder of the dataset's manifest, from which a relative path is taken.
    """

    cache_key = None
    append_only = True

    def __init__(self, spec: FilesSourceSpec, manifest_folder: Path) -> None:
        self.spec = spec
        self.folder = manifest_folder / Path(spec.path).expanduser()
        self.label = "files"
        self._sent_notices: set[str] = set()

    def ticker(self, symbol: str) -> str:
        """The symbol as the file names write it."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """Files, wherever they lie."""
        return "files"

    def location(self, symbol: str) -> str:
        """The symbol's file."""
        return str(self._file_path(symbol))

    def url(self) -> None:
        """No network."""

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """All bars of the symbol's file, with adj_close, dividends and split where it has them.

        Raises:
            SourceError: There is no such file.
            InvalidBarsError: It is no table, a column is missing or may be one of two, or a cell
                is no number or timestamp, or can be read in two ways.
        """
        path = self._file_path(request.symbol)
        if not path.is_file():
            raise SourceError(
                f"no file of {request.symbol}",
                expected=str(path),
                found=_list_folder(path),
                where="the dataset's files source",
                fix="correct path, pattern or symbols of the source",
            )
        as_text = declares_number_format(self.spec) or declares_text_dates(self.spec.dates)
        table = read_table(path, as_text=as_text)
        columns = match_columns(path, list(table.columns), self.spec.columns)
        table = table[list(columns.file_names.values())].set_axis(list(columns.file_names), axis=1)
        numbers, complaints = self._parse_values(table)
        reading = TimestampFormat(
            self.spec.dates, self.spec.timezone, is_daily_or_longer(request.interval)
        )
        stamps = parse_timestamps(table["timestamp"], reading)
        if isinstance(stamps, ParseFailure):
            raise unreadable_error(path, [*complaints, stamps])
        if complaints:
            raise unreadable_error(path, complaints)
        self._notify_once(request, (*columns.notices, *([stamps.notice] if stamps.notice else ())))
        return numbers.assign(timestamp=stamps.values)

    def _parse_values(self, table: pd.DataFrame) -> tuple[pd.DataFrame, list[ParseFailure]]:
        """The values of bars, what else the file carries as numbers, and what is no number."""
        found, complaints = {}, []
        for column in table.columns.drop("timestamp"):
            numbers = parse_numbers(table[column], self.spec)
            if not isinstance(numbers, ParseFailure):
                found[column] = numbers
            elif column in VALUE_COLUMNS:
                complaints.append(numbers)
        return pd.DataFrame(found), complaints

    def _notify_once(self, request: BarRequest, sentences: tuple[str, ...]) -> None:
        """Each sentence once, for the first file it is about."""
        for sentence in sentences:
            if sentence not in self._sent_notices:
                self._sent_notices.add(sentence)
                request.notify(f"files: {sentence} (in {self._file_path(request.symbol).name})")

    def _file_path(self, symbol: str) -> Path:
        return self.folder / self.spec.pattern.replace("{symbol}", self.ticker(symbol))


def _list_folder(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir())
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6]) or 'an empty folder'}{more}"

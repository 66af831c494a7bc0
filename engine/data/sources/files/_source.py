"""Reads bars from one file per symbol: CSV, CSV.gz or Parquet."""

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
    """Files of a folder, one per symbol; rows keep their order.

    The meaning of a cell is never guessed: numbers are `1234.5` and timestamps ISO 8601,
    `YYYYMMDD` or numbers since 1970 in one plausible unit, unless the source declares another
    format. What is recognised without a declaration is reported once.

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

    def origin(self, symbol: str) -> str:  # noqa: ARG002 - one answer for all
        """`files`, whatever the folder."""
        return "files"

    def location(self, symbol: str) -> str:
        """The symbol's file."""
        return str(self._file_path(symbol))

    def url(self) -> None:
        """No network."""

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Returns all bars of the symbol's file, with adj_close, dividends and split if present.

        Raises:
            SourceError: There is no such file.
            InvalidBarsError: The file is not a table, a column is missing or ambiguous, or a cell
                is not a number or timestamp, or is ambiguous.
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
        mapping: dict[str, str] = {
            ours: name for ours, name in self.spec.columns.items() if isinstance(name, str)
        }
        columns = match_columns(path, list(table.columns), mapping)
        table = table[list(columns.file_names.values())].set_axis(list(columns.file_names), axis=1)
        numbers, failures = self._parse_values(table)
        timestamp_format = TimestampFormat(
            self.spec.dates, self.spec.timezone, is_daily_or_longer(request.interval)
        )
        timestamps = parse_timestamps(table["timestamp"], timestamp_format)
        if isinstance(timestamps, ParseFailure):
            raise unreadable_error(path, [*failures, timestamps])
        if failures:
            raise unreadable_error(path, failures)
        self._notify_once(request, (*columns.notices, timestamps.notice))
        return numbers.assign(timestamp=timestamps.values)

    def _parse_values(self, table: pd.DataFrame) -> tuple[pd.DataFrame, list[ParseFailure]]:
        """The numeric columns, and the failures of required columns."""
        parsed, failures = {}, []
        for column in table.columns.drop("timestamp"):
            numbers = parse_numbers(table[column], self.spec)
            if not isinstance(numbers, ParseFailure):
                parsed[column] = numbers
            elif column in VALUE_COLUMNS:
                failures.append(numbers)
        return pd.DataFrame(parsed), failures

    def _notify_once(self, request: BarRequest, notices: tuple[str, ...]) -> None:
        """Sends each notice once, for the first file that it concerns; an empty one never."""
        for notice in notices:
            if notice and notice not in self._sent_notices:
                self._sent_notices.add(notice)
                request.notify(f"files: {notice} (in {self._file_path(request.symbol).name})")

    def _file_path(self, symbol: str) -> Path:
        return self.folder / self.spec.pattern.replace("{symbol}", self.ticker(symbol))


def _list_folder(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir())
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"{', '.join(names[:6]) or 'an empty folder'}{more}"

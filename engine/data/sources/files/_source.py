"""Reads bars from one file per symbol: CSV, CSV.gz or Parquet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError, SourceError
from engine.data.bars import VALUE_COLUMNS, has_volume
from engine.data.calendar import is_daily_or_longer
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.files._columns import match_columns
from engine.data.sources.files._content import open_content
from engine.data.sources.files._frames import read_frame
from engine.data.sources.files._header import find_layout
from engine.data.sources.files._numbers import declares_number_format, parse_numbers
from engine.data.sources.files._parse_failure import ParseFailure
from engine.data.sources.files._rows import (
    find_rows_without_bars,
    keep_rows,
    require_one_series,
    rows_without_bars_error,
    where_columns,
)
from engine.data.sources.files._table import TextTable, unreadable_error
from engine.data.sources.files._timestamps import (
    TimestampFormat,
    join_date_and_time,
    parse_timestamps,
)

if TYPE_CHECKING:
    from engine.data.config import FilesSourceSpec
    from engine.data.sources.files._columns import ColumnMatch
    from engine.data.sources.files._table import FileTable


@dataclass(frozen=True)
class _ParsedBars:
    """Bars parsed from rows.

    Attributes:
        bars: timestamp, values and events; the index numbers the rows of the file.
        notices: How cells were read, where a reader may not expect it; some may be empty.
    """

    bars: pd.DataFrame
    notices: tuple[str, ...]


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
        table = self._open_table(path, self.ticker(request.symbol))
        match = match_columns(path, table.names, self.spec, table.sample)
        daily = is_daily_or_longer(request.interval)
        parsed = self._parse(
            self._read_rows(table, match, request.symbol, typed=True), match, daily=daily
        )
        if isinstance(parsed, tuple):
            frame = self._read_rows(table, match, request.symbol, typed=False)
            parsed = self._parse(frame, match, daily=daily)
        if isinstance(parsed, tuple):
            frame, notice = self._drop_rows_without_bars(table, frame, match, parsed)
            parsed = self._parse(frame, match, daily=daily)
            if isinstance(parsed, tuple):
                raise unreadable_error(table, parsed)
            parsed = replace(parsed, notices=(*parsed.notices, notice))
        require_one_series(
            table, parsed.bars["timestamp"], match, self.spec, self.ticker(request.symbol)
        )
        self._require_volume(path, parsed.bars, match)
        self._notify_once(request, (*table.notices, *match.notices, *parsed.notices))
        return parsed.bars.reset_index(drop=True)

    def _open_table(self, path: Path, ticker: str) -> FileTable:
        content = open_content(path, ticker)
        if content.kind == "text":
            return TextTable(content, find_layout(content, self.spec, ticker))
        return read_frame(content, self.spec, ticker)

    def _read_rows(
        self, table: FileTable, match: ColumnMatch, symbol: str, *, typed: bool
    ) -> pd.DataFrame:
        """The columns that are needed, of the rows that `where` keeps.

        Args:
            table: The file.
            match: Its columns.
            symbol: Of the dataset.
            typed: Whether plain numbers and timestamps may be parsed at once, which is fast; the
                text is needed to explain a cell that is neither.
        """
        conditions = where_columns(table, self.spec)
        stamps = match.file_names["timestamp"]
        values = [name for ours, (name, *_) in match.file_names.items() if ours != "timestamp"]
        columns = list(dict.fromkeys((*stamps, *values, *conditions)))
        numbers = set(values).difference(stamps, conditions)
        at_once = typed and not declares_number_format(self.spec)
        is_text = len(stamps) > 1 or self.spec.dates is not None
        frame = table.read(
            columns,
            numbers if at_once else (),
            set(stamps).difference(conditions) if typed and not is_text else (),
        )
        kept = {name: self.spec.where[name] for name in conditions}
        return keep_rows(table, frame, kept, self.ticker(symbol))

    def _parse(
        self, frame: pd.DataFrame, match: ColumnMatch, *, daily: bool
    ) -> _ParsedBars | tuple[ParseFailure, ...]:
        """Numbers and timestamps; or the failures of required columns, rows as in the file."""
        parsed: dict[str, pd.Series] = {}
        failures, notices = [], []
        for ours, (name, *_) in match.file_names.items():
            if ours == "timestamp":
                continue
            numbers = parse_numbers(frame[name], self.spec, ours)
            if not isinstance(numbers, ParseFailure):
                parsed[ours] = numbers.values
                notices.append(numbers.notice)
            elif ours in VALUE_COLUMNS:
                failures.append(numbers)
        if self.spec.volume == "none":
            parsed["volume"] = pd.Series(np.nan, index=frame.index)
        timestamp_format = TimestampFormat(self.spec.dates, self.spec.timezone, daily)
        cells = self._timestamp_cells(frame, match.file_names["timestamp"])
        timestamps = parse_timestamps(cells, timestamp_format)
        if isinstance(timestamps, ParseFailure):
            failures.append(timestamps)
        if failures or isinstance(timestamps, ParseFailure):
            return tuple(replace(one, row=int(frame.index[one.row])) for one in failures)
        bars = pd.DataFrame({"timestamp": timestamps.values, **parsed}, copy=False)
        return _ParsedBars(bars, (timestamps.notice, *notices))

    def _require_volume(self, path: Path, bars: pd.DataFrame, match: ColumnMatch) -> None:
        """Refuses an empty column of volumes: that there is none has to be declared."""
        if self.spec.volume is None and len(bars) and not has_volume(bars):
            raise InvalidBarsError(
                "the column of volumes is empty",
                expected="a number in every row",
                found=f"no number in {match.file_names['volume'][0]}, in {len(bars)} rows",
                where=str(path),
                fix="name another column by `columns: {volume: …}`, or declare `volume: none` in "
                "the files source; features of the volume are then refused",
            )

    def _timestamp_cells(self, frame: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
        if len(names) == 1:
            return frame[names[0]]
        return join_date_and_time(frame[names[0]], frame[names[1]], self.spec.dates)

    def _drop_rows_without_bars(
        self,
        table: FileTable,
        frame: pd.DataFrame,
        match: ColumnMatch,
        failures: tuple[ParseFailure, ...],
    ) -> tuple[pd.DataFrame, str]:
        """The rows that are bars, if the source drops the others, and a notice about these."""
        without = find_rows_without_bars(frame, match)
        rows = [int(row) for row in frame.index[without]]
        if not rows:
            raise unreadable_error(table, failures)
        if self.spec.rows_without_bars != "drop":
            if failures[0].row in rows or failures[-1].row in rows:
                raise rows_without_bars_error(table, rows, len(frame))
            raise unreadable_error(table, failures)
        notice = f"{len(rows)} of {len(frame)} rows are no bars, and are left out, the first "
        return frame[~without], f"{notice}{table.locate(rows[0])}: {table.show(rows[0])}"

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

"""Reads the bars of one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.core.types import PRICE_COLUMNS
from engine.data.bars import RANGE_COLUMNS, VALUE_COLUMNS, has_volume, is_close_only
from engine.data.calendar import is_daily_or_longer
from engine.data.sources.files._columns import match_columns
from engine.data.sources.files._frames import read_frame
from engine.data.sources.files._header import find_layout
from engine.data.sources.files._numbers import declares_number_format, divide_prices, parse_numbers
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
    from datetime import date

    from engine.data.calendar import BarInterval
    from engine.data.files_config import FilesSourceSpec
    from engine.data.sources.files._columns import ColumnMatch
    from engine.data.sources.files._content import FileContent
    from engine.data.sources.files._numbers import ParsedNumbers
    from engine.data.sources.files._table import FileTable


@dataclass(frozen=True)
class FileBars:
    """Bars parsed from rows.

    Attributes:
        bars: timestamp, values and events; the index numbers the rows of the file.
        notices: How cells were read, where a reader may not expect it; some may be empty.
    """

    bars: pd.DataFrame
    notices: tuple[str, ...]


@dataclass(frozen=True)
class FileReader:
    """Reads a file with the keys of a source.

    Attributes:
        spec: The source, the keys of its `format` filled in.
        ticker: The source's name of the symbol.
        interval: Length of the bars.
        day: The date in the name of the file, where the source's pattern has one.
    """

    spec: FilesSourceSpec
    ticker: str
    interval: BarInterval
    day: date | None = None

    def read(self, content: FileContent) -> FileBars:
        """The bars of a file in its order, with adj_close, dividends and split if present.

        Raises:
            InvalidBarsError: The file is not a table, a column is missing or ambiguous, or a cell
                is not a number or timestamp, or is ambiguous.
        """
        table = self.open_table(content)
        match = match_columns(content.path, table.names, self.spec, table.sample)
        parsed = self._parse(self._read_rows(table, match, typed=True), match)
        if isinstance(parsed, tuple):
            frame = self._read_rows(table, match, typed=False)
            parsed = self._parse(frame, match)
        if isinstance(parsed, tuple):
            frame, notice = self._drop_rows_without_bars(table, frame, match, parsed)
            parsed = self._parse(frame, match)
            if isinstance(parsed, tuple):
                raise unreadable_error(table, parsed)
            parsed = replace(parsed, notices=(*parsed.notices, notice))
        require_one_series(table, parsed.bars["timestamp"], match, self.spec, self.ticker)
        self._require_values(content, parsed.bars, match)
        return FileBars(
            parsed.bars.reset_index(drop=True), (*table.notices, *match.notices, *parsed.notices)
        )

    def open_table(self, content: FileContent) -> FileTable:
        """The columns of a file.

        Raises:
            InvalidBarsError: The file is not a table.
        """
        if content.kind == "text":
            return TextTable(content, find_layout(content, self.spec, self.ticker))
        return read_frame(content, self.spec, self.ticker)

    def _read_rows(self, table: FileTable, match: ColumnMatch, *, typed: bool) -> pd.DataFrame:
        """The columns that are needed, of the rows that `where` keeps.

        Args:
            table: The file.
            match: Its columns.
            typed: Whether plain numbers and timestamps may be parsed at once, which is fast; the
                text is needed to explain a cell that is neither.
        """
        conditions = where_columns(table, self.spec)
        stamps = match.file_names["timestamp"]
        values = [name for ours, (name, *_) in match.file_names.items() if ours != "timestamp"]
        columns = list(dict.fromkeys((*stamps, *values, *conditions)))
        numbers = set(values).difference(stamps, conditions)
        at_once = typed and not declares_number_format(self.spec)
        # Whether a date has a time, by which a bar that is labelled by its close is found, is seen
        # in the text alone.
        is_text = len(stamps) > 1 or self.spec.dates is not None or self.spec.label == "close"
        frame = table.read(
            columns,
            numbers if at_once else (),
            set(stamps).difference(conditions) if typed and not is_text else (),
        )
        kept = {name: self.spec.where[name] for name in conditions}
        return keep_rows(table, frame, kept, self.ticker)

    def _parse(
        self, frame: pd.DataFrame, match: ColumnMatch
    ) -> FileBars | tuple[ParseFailure, ...]:
        """Numbers and timestamps; or the failures of required columns, rows as in the file."""
        parsed: dict[str, pd.Series] = {}
        failures, notices = [], []
        for ours, (name, *_) in match.file_names.items():
            if ours == "timestamp":
                continue
            numbers = self._parse_numbers(frame[name], ours)
            if not isinstance(numbers, ParseFailure):
                parsed[ours] = numbers.values
                notices.append(numbers.notice)
            elif ours in VALUE_COLUMNS:
                failures.append(numbers)
        for absent in set(VALUE_COLUMNS).difference(self.spec.value_columns):
            parsed[absent] = pd.Series(np.nan, index=frame.index)
        cells = self._timestamp_cells(frame, match.file_names["timestamp"])
        timestamps = parse_timestamps(cells, self._timestamp_format())
        if isinstance(timestamps, ParseFailure):
            failures.append(timestamps)
        if failures or isinstance(timestamps, ParseFailure):
            return tuple(replace(one, row=int(frame.index[one.row])) for one in failures)
        bars = pd.DataFrame({"timestamp": timestamps.values, **parsed}, copy=False)
        return FileBars(bars, (timestamps.notice, *notices))

    def _parse_numbers(self, cells: pd.Series, ours: str) -> ParsedNumbers | ParseFailure:
        numbers = parse_numbers(cells, self.spec, ours)
        if isinstance(numbers, ParseFailure) or ours not in PRICE_COLUMNS:
            return numbers
        return divide_prices(numbers, self.spec, ours)

    def _require_values(
        self, content: FileContent, bars: pd.DataFrame, match: ColumnMatch
    ) -> None:
        """Refuses empty columns of volumes or ranges: that there are none has to be declared."""
        if self.spec.volume is None and len(bars) and not has_volume(bars):
            raise InvalidBarsError(
                "the column of volumes is empty",
                expected="a number in every row",
                found=f"no number in {match.file_names['volume'][0]}, in {len(bars)} rows",
                where=str(content.path),
                fix="name another column by `columns: {volume: …}`, or declare `volume: none` in "
                "the files source; features of the volume are then refused",
            )
        if self.spec.prices is None and is_close_only(bars):
            names = ", ".join(match.file_names[ours][0] for ours in RANGE_COLUMNS)
            raise InvalidBarsError(
                "the columns of open, high and low are empty",
                expected="a number in every row",
                found=f"no number in {names}, in {len(bars)} rows",
                where=str(content.path),
                fix="name other columns by `columns: {open: …}`, or declare `prices: close` in "
                "the files source; what needs an open, a high or a low is then refused",
            )

    def _timestamp_format(self) -> TimestampFormat:
        spec, daily = self.spec, is_daily_or_longer(self.interval)
        closing = self.interval if daily and spec.label == "close" else None
        return TimestampFormat(spec.dates, spec.timezone, daily, closing, self.day)

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

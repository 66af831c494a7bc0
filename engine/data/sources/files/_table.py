"""A file as a table of cells, and the errors about its cells."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv
from typing_extensions import override

from engine.core.errors import BarsParseError, InvalidBarsError
from engine.data.sources.files._cells import MISSING_TEXTS, looks_like_date
from engine.data.sources.files._content import reading, unreadable_table
from engine.data.sources.files._header import LINE_END, is_bar
from engine.data.sources.files._shown import quote_name, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.data.sources.files._content import FileContent
    from engine.data.sources.files._header import TextLayout
    from engine.data.sources.files._parse_failure import ParseFailure

_BLOCK_BYTES = 1 << 22


class FileTable(ABC):
    """The cells of a file; the index of a frame numbers the rows of the file from 0.

    Attributes:
        path: The file.
        names: Its columns, all different.
        notices: What a reader may not expect.
        used_where: Keys of the source's `where` that chose columns.
    """

    path: Path
    names: tuple[str, ...]
    notices: tuple[str, ...] = ()
    used_where: frozenset[str] = frozenset()

    @abstractmethod
    def sample(self, name: str) -> Sequence[str]:
        """The first cells of a column, as text."""

    @abstractmethod
    def read(
        self, columns: Sequence[str], numbers: Collection[str] = (), stamps: Collection[str] = ()
    ) -> pd.DataFrame:
        """Reads some columns of all rows; without `numbers` and `stamps` text stays text.

        Args:
            columns: Their names.
            numbers: Those of them to parse as float64, if all their cells are plain numbers.
            stamps: Those of them to parse as ISO 8601 or as whole numbers, if all cells are such.

        Raises:
            InvalidBarsError: The file is damaged, or a line has more cells than the header.
        """

    @abstractmethod
    def read_texts(self, name: str) -> pd.Series[str]:
        """All cells of a column as they stand in the file: `NA` is text, not a missing value."""

    @abstractmethod
    def locate(self, row: int) -> str:
        """Where a row stands in the file: `line 5`."""

    @abstractmethod
    def show(self, row: int) -> str:
        """A row as it stands in the file, in one line."""


class FrameTable(FileTable):
    """The rows of Parquet, Feather or JSON, which are in memory."""

    def __init__(
        self,
        path: Path,
        frame: pd.DataFrame,
        notices: Sequence[str] = (),
        used_where: Collection[str] = (),
    ) -> None:
        self.path = path
        self.frame = frame.reset_index(drop=True)
        self.names = tuple(frame.columns)
        self.notices = tuple(notices)
        self.used_where = frozenset(used_where)

    def sample(self, name: str) -> Sequence[str]:
        """The first cells of a column, as text."""
        return [str(cell) for cell in self.frame[name].head(100)]

    @override
    def read(
        self,
        columns: Sequence[str],
        numbers: Collection[str] = (),
        stamps: Collection[str] = (),
    ) -> pd.DataFrame:
        """Some columns of all rows, as the file has them."""
        return self.frame[list(columns)]

    def read_texts(self, name: str) -> pd.Series[str]:
        """All cells of a column as text."""
        return self.frame[name].astype("str")

    def locate(self, row: int) -> str:
        """The number of the row, from 1."""
        return f"row {row + 1}"

    def show(self, row: int) -> str:
        """The values of the row."""
        return shorten(", ".join(str(value) for value in self.frame.iloc[row]))


class TextTable(FileTable):
    """The lines of a text file, which are parsed when they are read."""

    def __init__(self, content: FileContent, layout: TextLayout) -> None:
        self.path = content.path
        self.names = layout.names
        self.notices = layout.notices
        self.used_where = layout.used_where
        self._content = content
        self._layout = layout
        self._evened: bytes | None = None

    def sample(self, name: str) -> Sequence[str]:
        """The first cells of a column."""
        position = self.names.index(name)
        return [row[position] for row in self._layout.sample if position < len(row)]

    def read(
        self, columns: Sequence[str], numbers: Collection[str] = (), stamps: Collection[str] = ()
    ) -> pd.DataFrame:
        """Some columns of all rows; all of them as text where a cell has not the wanted type."""
        types = dict.fromkeys(columns, pa.string())
        types |= dict.fromkeys(numbers, pa.float64())
        types |= {name: self._stamp_type(name) for name in stamps}
        with reading(self.path):
            try:
                table = self._parse(types)
            except pa.ArrowInvalid as error:
                if "conversion error" not in str(error):
                    raise
                table = self._parse_as_text(columns)
        frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
        return frame

    def read_texts(self, name: str) -> pd.Series[str]:
        """All cells of a column as they stand in the file."""
        with reading(self.path):
            table = self._parse({name: pa.string()}, missing=())
        texts: pd.Series[str] = table.to_pandas()[name]
        return texts

    def _stamp_type(self, name: str) -> pa.DataType:
        """The type of which the first cell of a column is; text where it is of none."""
        first = next(iter(self.sample(name)), "")
        for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.int64()):
            try:
                pa.scalar(first).cast(kind)
            except pa.ArrowInvalid:
                continue
            return kind
        return pa.string()

    def _parse_as_text(self, columns: Sequence[str]) -> pa.Table:
        types = dict.fromkeys(columns, pa.string())
        try:
            return self._parse(types)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
            # Some later line is in another encoding than the first ones.
            self._evened = self._even_out()
            return self._parse(types)

    def locate(self, row: int) -> str:
        """The number of the line, from 1."""
        return f"line {self._line(row)[0]}"

    def show(self, row: int) -> str:
        """The line."""
        return shorten(self._line(row)[1])

    def _line(self, row: int) -> tuple[int, str]:
        lines = enumerate(LINE_END.split(self._content.text()), start=1)
        filled = [(number, line) for number, line in lines if line.strip()]
        return [line for line in filled if line[0] > self._layout.skipped][row]

    def _parse(
        self, types: dict[str, pa.DataType], missing: Sequence[str] = MISSING_TEXTS
    ) -> pa.Table:
        """Parses the lines; where some have too few or too many cells, all are evened out."""
        if self._evened is None:
            ragged: list[str] = []
            stream, skipped = self._content.stream, self._layout.skipped
            table = self._parse_stream(stream(), skipped, types, ragged, missing)
            if ragged and any('"' in line for line in ragged):
                # A cell in quotation marks may go on in the next line.
                ragged = []
                table = self._parse_stream(
                    stream(), skipped, types, ragged, missing, newlines=True
                )
            if not ragged:
                return table
            self._evened = self._even_out()
        return self._parse_stream(pa.BufferReader(self._evened), 0, types, [], missing)

    def _parse_stream(
        self,
        stream: pa.NativeFile,
        skipped: int,
        types: dict[str, pa.DataType],
        ragged: list[str],
        missing: Sequence[str],
        *,
        newlines: bool = False,
    ) -> pa.Table:
        def note_ragged(row: pacsv.InvalidRow) -> str:
            ragged.append(row.text)
            return "skip"

        try:
            return pacsv.read_csv(
                stream,
                read_options=pacsv.ReadOptions(
                    column_names=list(self.names), skip_rows=skipped, block_size=_BLOCK_BYTES
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self._layout.separator,
                    invalid_row_handler=note_ragged,
                    newlines_in_values=newlines,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    null_values=list(missing),
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):
                raise self._endless_line_error() from None
            if "Empty CSV" not in str(error):
                raise
            return pa.table({name: pa.array([], kind) for name, kind in types.items()})

    def _endless_line_error(self) -> InvalidBarsError:
        return unreadable_table(
            self.path,
            f"a line of more than {_BLOCK_BYTES:,} bytes, or a quotation mark without its pair",
            "correct the line, or download the file again",
        )

    def _even_out(self) -> bytes:
        """The lines after the header with as many cells as it has: short ones are filled up.

        Raises:
            InvalidBarsError: A bar has values in more cells; other lines are cut.
        """
        width, separator = len(self.names), self._layout.separator
        evened = []
        lines = LINE_END.split(self._content.text())
        for number, line in enumerate(lines[self._layout.skipped :], self._layout.skipped + 1):
            if not line.strip():
                continue
            if '"' not in line and line.count(separator) == width - 1:
                evened.append(line)
                continue
            cells = next(csv.reader([line], delimiter=separator), [])
            if any(cell.strip() for cell in cells[width:]) and is_bar(cells):
                raise self._long_line_error(number, line, cells)
            cells = (cells + [""] * width)[:width]
            evened.append(
                separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells)
            )
        return "\n".join(evened).encode()

    def _long_line_error(self, number: int, line: str, cells: list[str]) -> InvalidBarsError:
        width, count = len(self.names), len(cells)
        more = [f"column_{position}" for position in range(width + 1, count + 1)]
        has_row_names = looks_like_date(cells[1]) and not looks_like_date(cells[0])
        names = [*more, *self.names] if has_row_names else [*self.names, *more]
        header = ", ".join(map(quote_name, names))
        keys = f"`header: [{header}]`"
        if self._layout.skipped:
            keys += f" and `skip: {self._layout.skipped}`"
        fix = f"correct the line; or, if the header lacks a name, add {keys} to the files source"
        if len(more) > 1:
            fix = (
                "correct the line; if commas are decimal marks, separate the cells with another "
                "mark, such as a semicolon"
            )
        return InvalidBarsError(
            "this file has lines with more cells than the header",
            expected=f"{width} cells, as the header has",
            found=f"{count} cells: {shorten(line)}",
            where=f"{self.path}, line {number}",
            fix=fix,
        )


def unreadable_error(table: FileTable, failures: Sequence[ParseFailure]) -> BarsParseError:
    """Makes the error about the cells that cannot be parsed, each with its line.

    Args:
        table: The file.
        failures: One per column, at least one; only the first of each rule is reported. Their
            rows are those of the file.
    """
    by_rule: dict[str, ParseFailure] = {}
    for failure in failures:
        by_rule.setdefault(failure.rule, failure)
    *before, last = by_rule.values()
    error = _to_unreadable_error(table, last, None)
    for failure in reversed(before):
        error = _to_unreadable_error(table, failure, error)
    return error


def _to_unreadable_error(
    table: FileTable, failure: ParseFailure, other: BarsParseError | None
) -> BarsParseError:
    more = f", and {failure.count - 1} more of its column" if failure.count > 1 else ""
    return BarsParseError(
        f"{table.path.name} has a cell that cannot be read{more}",
        rule=failure.rule,
        count=failure.count,
        next_error=other,
        expected=failure.expected,
        found=shorten(failure.found, 200),
        where=f"{table.path}, {table.locate(failure.row)}",
        fix=failure.fix,
    )

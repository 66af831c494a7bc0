"""The content of an audited file: its table of text or numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.core import limits
from engine.core.errors import UsageError
from engine.data.sources.files import open_content, reading

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.sources.files import FileContent

_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, eq=False)
class AuditedFile:
    """An audited file, read once.

    Attributes:
        path: The file.
        frame: Its table: cells of text files are text, those of Parquet have their types.
        separator: Between the cells of a text file; empty for others.
        date_format: Declared format of its dates, as `dates` of a files source; None for ISO.
    """

    path: Path
    frame: pd.DataFrame = field(repr=False)
    separator: str = ""
    date_format: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(map(str, self.frame.columns))

    def describe(self) -> str:
        """Columns and first cells, for messages about a file that is not understood."""
        cells = ", ".join(str(cell)[:30] for cell in self.frame.head(1).to_numpy().ravel())
        names = ", ".join(name or "(no name)" for name in self.columns)
        return f"the columns {names[:400]}; first row: {cells[:400]}"


def open_table(path: Path, date_format: str | None = None) -> AuditedFile:
    """Opens CSV, Parquet or Feather, compressed or not; never a pickle.

    Args:
        path: The file.
        date_format: `day_first`, `month_first` or a format of strptime; None for ISO 8601.

    Raises:
        UsageError: There is no such file, or it has no rows.
        InvalidBarsError: It is damaged, or of a kind that is not read.
    """
    try:
        if path.stat().st_size == 0:
            raise _without_rows(path, "0 bytes")
        content = open_content(path, path.stem)
    except OSError as error:
        raise UsageError(
            "the audited file cannot be read",
            expected="a file of returns, trades or positions",
            found=error.strerror or str(error),
            where=str(path),
            fix="check the path",
        ) from error
    frame, separator = (
        _read_text(content) if content.kind == "text" else (_read_typed(content), "")
    )
    if frame.empty:
        raise _without_rows(path, "a header without rows" if len(frame.columns) else "no cells")
    return AuditedFile(path, frame, separator, date_format)


def _without_rows(path: Path, found: str) -> UsageError:
    return UsageError(
        "the audited file is empty",
        expected="a header and a row for each bar",
        found=found,
        where=str(path),
        fix="export the results again",
    )


def _read_text(content: FileContent) -> tuple[pd.DataFrame, str]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    first = content.head.decode("utf-8", errors="replace").splitlines()[:1]
    separator = max(_SEPARATORS, key=first[0].count) if first else ","
    names = next(csv.reader(io.StringIO(first[0] if first else ""), delimiter=separator), [])
    if len(names) > limits.MAX_BAR_FILE_COLUMNS:
        raise UsageError(
            "the audited file has too many columns",
            expected=f"at most {limits.MAX_BAR_FILE_COLUMNS:,}",
            found=f"{len(names):,}",
            where=str(content.path),
            fix="audit fewer variants at once",
        )
    unique = _make_unique([name.strip() for name in names])
    with reading(content.path):
        table = arrow_csv.read_csv(
            content.stream(),
            read_options=arrow_csv.ReadOptions(column_names=unique, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(unique, pa.string()), strings_can_be_null=False
            ),
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame, separator


def _make_unique(names: list[str]) -> list[str]:
    """The names, those that occur again with a number, as pandas writes them."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        unique.append(f"{name}.{count}" if count else name)
    return unique


def _read_typed(content: FileContent) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import feather, parquet

    if content.kind == "json":
        raise UsageError(
            "a table was expected, and the file holds JSON",
            expected="CSV or Parquet",
            found="JSON",
            where=str(content.path),
            fix="write the returns as CSV: a date and a return a line",
        )
    with reading(content.path):
        read = parquet.read_table if content.kind == "parquet" else feather.read_table
        frame: pd.DataFrame = read(pa.BufferReader(content.read())).to_pandas()
    index = frame.index
    if isinstance(index, pd.DatetimeIndex) or index.name is not None:
        frame = frame.reset_index(names=str(index.name or ""))
    return frame.set_axis([str(name) for name in frame.columns], axis=1)

"""A file as a table of cells, not yet read as bars."""

from __future__ import annotations

import gzip
import warnings
from typing import TYPE_CHECKING, TextIO, cast

import pandas as pd

from engine.core.errors import BarsParseError, InvalidBarsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.data.sources.files._parse_failure import ParseFailure

_SEPARATORS = (",", ";", "\t", "|")


def read_table(path: Path, *, as_text: bool) -> pd.DataFrame:
    """All columns of a CSV, CSV.gz or Parquet file; an index with a name is a column too.

    The cells of a CSV are separated by a comma, semicolon, tab or bar, whichever makes most
    columns of the header.

    Args:
        path: The file.
        as_text: Leaves the cells of a CSV as they are written, for a reader that knows more of
            them than pandas does; else pandas tells numbers from text.

    Raises:
        InvalidBarsError: It cannot be taken apart, or a line has more cells than the header.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            table = table if table.index.name is None else table.reset_index()
            return table.rename(columns=str)
        return _read_csv(path, as_text=as_text)
    except pd.errors.ParserWarning:
        raise InvalidBarsError(
            "this file has lines with more cells than the header",
            expected="a name in the header for every cell",
            where=str(path),
            fix="complete the header, or correct the lines",
        ) from None
    except (OSError, ValueError, EOFError) as error:
        # pandas and pyarrow raise ValueErrors for text they cannot take apart; a gzip file that
        # was cut off is an EOFError.
        raise InvalidBarsError(
            "this file cannot be read as a table",
            expected="CSV with a header line, CSV.gz or Parquet",
            found=" ".join(str(error).split())[:200],
            where=str(path),
            fix="save or download the file again",
        ) from error


def unreadable_error(path: Path, failures: Sequence[ParseFailure]) -> BarsParseError:
    """The error about the cells that cannot be read, each with its line.

    Args:
        path: The file.
        failures: One a column, at least one; of several under one rule the first is told.
    """
    told: dict[str, ParseFailure] = {}
    for complaint in failures:
        told.setdefault(complaint.rule, complaint)
    *before, last = told.values()
    error = _to_unreadable_error(path, last, None)
    for complaint in reversed(before):
        error = _to_unreadable_error(path, complaint, error)
    return error


def _to_unreadable_error(
    path: Path, failure: ParseFailure, other: BarsParseError | None
) -> BarsParseError:
    row = failure.row
    place = f"row {row + 1}" if path.suffix == ".parquet" else f"line {_line_number(path, row)}"
    more = f", and {failure.count - 1} more of its column" if failure.count > 1 else ""
    return BarsParseError(
        f"{path.name} holds a cell that cannot be read{more}",
        rule=failure.rule,
        count=failure.count,
        next_error=other,
        expected=failure.expected,
        found=failure.found,
        where=f"{path}, {place}",
        fix=failure.fix,
    )


def _read_csv(path: Path, *, as_text: bool) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Without index_col=False pandas would take the first cells of lines that are longer than
        # the header for an index, and shift every column; with it, it cuts them and warns.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=_detect_separator(path),
            index_col=False,
            low_memory=False,
            dtype="str" if as_text else None,
        )


def _detect_separator(path: Path) -> str:
    """The mark that makes most columns of the header; a comma where none makes two."""
    with _open_text(path) as text:
        header = next((line for line in text if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _line_number(path: Path, row: int) -> int:
    """Line in the file, from 1, of a row of the table, from 0: past the header and blank lines."""
    with _open_text(path) as text:
        filled = [number for number, line in enumerate(text, start=1) if line.strip()]
    return filled[row + 1]

"""Reads a file as a table of cells, and reports cells that cannot be parsed."""

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
    """Reads all columns of a CSV, CSV.gz or Parquet file; a named index is a column too.

    The separator of a CSV is a comma, semicolon, tab or vertical bar: the one that splits the
    header into most columns.

    Args:
        path: The file.
        as_text: Leaves the cells of a CSV as text, for a declared format; otherwise pandas detects
            numbers.

    Raises:
        InvalidBarsError: The file is not a table, or a line has more cells than the header.
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
        # pandas and pyarrow raise ValueErrors for text that they cannot parse; a truncated gzip
        # file raises an EOFError.
        raise InvalidBarsError(
            "this file cannot be read as a table",
            expected="CSV with a header line, CSV.gz or Parquet",
            found=" ".join(str(error).split())[:200],
            where=str(path),
            fix="save or download the file again",
        ) from error


def unreadable_error(path: Path, failures: Sequence[ParseFailure]) -> BarsParseError:
    """Makes the error about the cells that cannot be parsed, each with its line.

    Args:
        path: The file.
        failures: One per column, at least one; only the first of each rule is reported.
    """
    by_rule: dict[str, ParseFailure] = {}
    for failure in failures:
        by_rule.setdefault(failure.rule, failure)
    *before, last = by_rule.values()
    error = _to_unreadable_error(path, last, None)
    for failure in reversed(before):
        error = _to_unreadable_error(path, failure, error)
    return error


def _to_unreadable_error(
    path: Path, failure: ParseFailure, other: BarsParseError | None
) -> BarsParseError:
    row = failure.row
    position = f"row {row + 1}" if path.suffix == ".parquet" else f"line {_line_number(path, row)}"
    more = f", and {failure.count - 1} more of its column" if failure.count > 1 else ""
    return BarsParseError(
        f"{path.name} has a cell that cannot be read{more}",
        rule=failure.rule,
        count=failure.count,
        next_error=other,
        expected=failure.expected,
        found=failure.found,
        where=f"{path}, {position}",
        fix=failure.fix,
    )


def _read_csv(path: Path, *, as_text: bool) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Without index_col=False pandas takes the first cells of lines longer than the header as
        # an index, and shifts every column; with it, pandas truncates these lines and warns.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=_detect_separator(path),
            index_col=False,
            low_memory=False,
            dtype="str" if as_text else None,
        )


def _detect_separator(path: Path) -> str:
    """The separator that splits the header into most columns; a comma if none splits it."""
    with _open_text(path) as text:
        header = next((line for line in text if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def _line_number(path: Path, row: int) -> int:
    """Line number, from 1, of a table row, from 0; counts the header and blank lines."""
    with _open_text(path) as text:
        filled = [number for number, line in enumerate(text, start=1) if line.strip()]
    return filled[row + 1]

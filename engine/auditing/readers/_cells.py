"""Parses the columns of an audited file: timestamps, numbers, percentages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import UsageError
from engine.data.sources.files import (
    ParseFailure,
    TimestampFormat,
    looks_like_date,
    looks_like_number,
    parse_timestamps,
    to_exact_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from engine.auditing.readers._content import AuditedFile

_TIME_NAMES = frozenset({"", "date", "datetime", "timestamp", "time", "dates", "day", "index"})
_SAMPLE = 50
_MISSING = ("", "nan", "NaN", "None", "null", "NA", "N/A", "<NA>")
_MIN_GROUP = 3


def normalise(name: str) -> str:
    """A name in small letters, words divided by `_`, without what is in brackets."""
    bare = name.split("[")[0].split("(")[0].strip().lower()
    return "_".join(bare.replace("-", " ").replace("_", " ").replace(".", " ").split())


def find_column(file: AuditedFile, names: Collection[str]) -> str | None:
    """The only column with one of these names; None where there is none, or are several."""
    found = [column for column in file.columns if normalise(column) in names]
    return found[0] if len(found) == 1 else None


def find_time_column(file: AuditedFile) -> str:
    """The column of timestamps: by its name, else the first whose cells look like dates.

    Raises:
        UsageError: There is none.
    """
    for column in file.columns:
        if normalise(column) in _TIME_NAMES and _has_dates(file.frame[column]):
            return column
    for column in file.columns:
        if _has_dates(file.frame[column]) and not pd.api.types.is_numeric_dtype(
            file.frame[column]
        ):
            return column
    raise UsageError(
        "the audited file has no column of dates",
        expected="a column such as date or timestamp, and a header line with names",
        found=file.describe(),
        where=str(file.path),
        fix="write the index with the values: `returns.to_csv(FILE)`",
    )


def _has_dates(cells: pd.Series) -> bool:
    if cells.dtype.kind == "M":
        return True
    sample = [str(cell) for cell in cells.head(_SAMPLE) if str(cell).strip()]
    return bool(sample) and all(map(looks_like_date, sample))


def numeric_columns(file: AuditedFile, time: str | None) -> list[str]:
    """The columns of numbers, without that of the timestamps, in the order of the file."""
    return [name for name in file.columns if name != time and is_numeric(file.frame[name])]


def is_numeric(cells: pd.Series) -> bool:
    """Whether more than half of the first cells that are filled are numbers."""
    if pd.api.types.is_bool_dtype(cells):
        return False
    if pd.api.types.is_numeric_dtype(cells):
        return True
    if cells.dtype.kind == "M":
        return False
    sample = [str(cell).strip() for cell in cells.head(_SAMPLE)]
    filled = [cell for cell in sample if cell not in _MISSING]
    return 2 * sum(map(looks_like_number, filled)) > len(filled)


def read_stamps(file: AuditedFile, column: str) -> pd.DatetimeIndex:
    """The timestamps of a column, UTC; naive ones are taken as UTC.

    Raises:
        UsageError: A cell is no date, or has two readings.
    """
    cells = file.frame[column]
    if cells.dtype.kind == "M":
        index = pd.DatetimeIndex(cells)
        return index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    parsed = parse_timestamps(cells, TimestampFormat(file.date_format))
    if isinstance(parsed, ParseFailure):
        fix = "declare how dates are written: --dates day_first, --dates month_first or a format"
        if parsed.rule == "ambiguous_dates":
            fix = "say which: --dates day_first or --dates month_first"
        raise _cell_error(file.path, column, parsed.row, parsed.found, parsed.expected, fix)
    return pd.DatetimeIndex(parsed.values)


def read_numbers(file: AuditedFile, column: str) -> tuple[pd.Series[float], tuple[str, ...]]:
    """The numbers of a column, NaN where a cell is empty, and notes about how they were read.

    `1.5 %` is 0.015. A decimal comma is read where cells are not separated by commas and no cell
    can be grouped digits alone.

    Raises:
        UsageError: A cell is no number.
    """
    cells = file.frame[column]
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64"), ()
    text = cells.astype("str").str.strip()
    numbers = to_exact_numbers(text)
    failed = numbers.isna() & ~text.isin(_MISSING)
    if not failed.any():
        return numbers, ()
    notes: list[str] = []
    filled = text[~text.isin(_MISSING)]
    if bool(filled.str.endswith("%").all()):
        notes.append(f"the column {column} is read as per cent")
        text = text.str.removesuffix("%").str.strip()
    if file.separator != "," and _has_decimal_commas(text):
        notes.append(f"the column {column} is read with a decimal comma")
        text = text.str.replace(",", ".", regex=False)
    text = text.str.replace("\N{MINUS SIGN}", "-", regex=False)
    numbers = to_exact_numbers(text)
    if notes and "per cent" in notes[0]:
        numbers = numbers / 100.0
    failed = numbers.isna() & ~text.isin(_MISSING)
    if failed.any():
        row = int(failed.to_numpy().argmax())
        raise _cell_error(
            file.path,
            column,
            row,
            str(cells.iloc[row]),
            "a number such as -0.0125",
            "write numbers with a decimal point and without groups of digits",
        )
    return numbers, tuple(notes)


def _has_decimal_commas(text: pd.Series) -> bool:
    """Whether every comma may be decimal and at least one cannot group digits."""
    with_comma = text[text.str.contains(",", regex=False)]
    if with_comma.empty or bool(with_comma.str.contains(".", regex=False).any()):
        return False
    once = bool((with_comma.str.count(",") == 1).all())
    tails = with_comma.str.rsplit(",", n=1).str[-1].str.len()
    starts_with_zero = with_comma.str.lstrip("+-").str.startswith("0")
    return once and bool(((tails != _MIN_GROUP) | starts_with_zero).any())


def _cell_error(
    path: Path, column: str, row: int, found: str, expected: str, fix: str
) -> UsageError:
    return UsageError(
        f"the column {column or '(no name)'} of the audited file cannot be read",
        expected=expected,
        found=found,
        where=f"{path}, row {row + 1:,}",
        fix=fix,
    )

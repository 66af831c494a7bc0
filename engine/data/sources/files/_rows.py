"""Which rows of a file are bars of the symbol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.core.types import PRICE_COLUMNS
from engine.data.sources.files._cells import (
    DASHES,
    DATE_PATTERN,
    MISSING_TEXTS,
    NUMBER_PATTERN,
    is_missing,
)
from engine.data.sources.files._columns import find_date_and_time
from engine.data.sources.files._shown import list_names, quote_name, write_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from engine.data.files_config import FilesSourceSpec
    from engine.data.sources.files._columns import ColumnMatch
    from engine.data.sources.files._table import FileTable

    BoolMask = npt.NDArray[np.bool_]

# A column tells rows apart if at most this share of the repeated timestamps remains within one of
# its values, and if a value has at least this many rows.
_MAX_SHARE_LEFT = 0.1
_SYMBOL_NAMES = "symbol|ticker|name|code|instrument|isin|ric|pair|asset|stock|security"
_MIN_ROWS_PER_VALUE = 2

_MAX_SHARE_WITHOUT_BARS = 0.5
"""Where more rows seem to be no bars, their numbers are written in a way that is not known."""


def where_columns(table: FileTable, spec: FilesSourceSpec) -> list[str]:
    """The columns that the source's `where` reads.

    Raises:
        InvalidBarsError: The file has no such column.
    """
    wanted = [name for name in spec.where if name not in table.used_where]
    missing = [name for name in wanted if name not in table.names]
    if missing:
        raise InvalidBarsError(
            f"this file has no column {', '.join(missing)}, which `where` names",
            expected=", ".join(wanted),
            found=list_names(table.names),
            where=str(table.path),
            fix="correct `where` of the files source",
        )
    return wanted


def keep_rows(
    table: FileTable, frame: pd.DataFrame, conditions: Mapping[str, str], ticker: str
) -> pd.DataFrame:
    """The rows whose columns have exactly the texts that `where` names.

    Args:
        table: The file, for messages.
        frame: Its rows, with the columns of the conditions.
        conditions: Column to text; `{symbol}` in it stands for the ticker.
        ticker: The source's name of the symbol.

    Raises:
        InvalidBarsError: No row is left.
    """
    for name, condition in conditions.items():
        wanted = condition.replace("{symbol}", ticker)
        texts = table.read_texts(name)[frame.index] if is_missing(wanted) else frame[name]
        cells = texts.astype("str").str.strip()
        kept = frame[(cells == wanted).fillna(value=False).to_numpy(dtype=bool)]
        if kept.empty and len(frame):
            raise InvalidBarsError(
                f"no row of this file has {wanted} in its column {name}",
                expected=wanted,
                found=list_names(cells.dropna().unique()),
                where=str(table.path),
                fix="correct `where`, or `symbols`, of the files source",
            )
        frame = kept
    return frame


def find_rows_without_bars(frame: pd.DataFrame, match: ColumnMatch) -> BoolMask:
    """Which rows are no bars: dividends, notes, totals, repeated headers.

    No price of theirs is a number, in any notation, and one is text or the timestamp is no date;
    or a word such as Total stands for the timestamp. Rows with a timestamp and empty prices are
    bars with missing values, which the quality rules report.

    Args:
        frame: The file's columns, as text.
        match: Which of them are prices and timestamps.
    """
    stamps = _texts(frame, match.file_names["timestamp"][0])
    no_stamp = ~stamps.str.fullmatch(DATE_PATTERN.pattern)
    is_word = stamps.str.fullmatch(r"[^\W\d]{3}\D*")
    without_number = np.full(len(frame), fill_value=True)
    with_text = np.zeros(len(frame), dtype=bool)
    for column in (name for name in PRICE_COLUMNS if name in match.file_names):
        cells = _texts(frame, match.file_names[column][0])
        is_number = cells.str.fullmatch(NUMBER_PATTERN.pattern).to_numpy(dtype=bool)
        without_number &= ~is_number
        with_text |= ~is_number & (cells != "").to_numpy(dtype=bool)
    rows: BoolMask = (without_number & (with_text | no_stamp.to_numpy(dtype=bool))) | (
        is_word.to_numpy(dtype=bool)
    )
    few = rows.mean() <= _MAX_SHARE_WITHOUT_BARS if rows.size else False
    return rows if few else np.zeros(rows.size, dtype=bool)


def _texts(frame: pd.DataFrame, name: str) -> pd.Series:
    cells = frame[name].astype("str").str.strip().fillna("")
    return cells.mask(cells.isin([*MISSING_TEXTS, *DASHES]), "")


def rows_without_bars_error(table: FileTable, rows: Sequence[int], total: int) -> InvalidBarsError:
    """Makes the error about rows that are no bars.

    Args:
        table: The file.
        rows: Their numbers in the file, at least one.
        total: Number of rows read.
    """
    are = "1 row that is no bar" if len(rows) == 1 else f"{len(rows)} rows that are no bars"
    return InvalidBarsError(
        f"this file has {are}, of {total}",
        expected="a timestamp and prices in every row",
        found=table.show(rows[0]),
        where=f"{table.path}, {table.locate(rows[0])}",
        fix="add `rows_without_bars: drop` to the files source, which leaves such rows out",
    )


def require_one_series(
    table: FileTable, timestamps: pd.Series, match: ColumnMatch, spec: FilesSourceSpec, ticker: str
) -> None:
    """Refuses repeated timestamps that another column of the file tells apart.

    Args:
        table: The file.
        timestamps: Of the rows read; the index numbers the rows of the file.
        match: The columns that are read already.
        spec: The source.
        ticker: The source's name of the symbol.

    Raises:
        InvalidBarsError: The rows are of several symbols, or of several times of a day.
    """
    stamps = timestamps.astype("int64").to_numpy()
    if bool((stamps[1:] > stamps[:-1]).all()) or timestamps.is_unique:
        return
    used = {name for names in match.file_names.values() for name in names} | set(spec.where)
    others = [name for name in table.names if name not in used]
    if not others:
        return
    cells = table.read(others).loc[timestamps.index]
    repeated = int(timestamps.duplicated().sum())
    for name in others:
        texts = cells[name].astype("str").str.strip()
        left = int(pd.DataFrame({"t": timestamps, "n": texts}).duplicated().sum())
        if left > _MAX_SHARE_LEFT * repeated:
            continue
        dates = match.file_names["timestamp"]
        if len(dates) == 1 and find_date_and_time([dates[0], name], table.sample) == (
            dates[0],
            name,
        ):
            raise _time_apart_error(table, dates[0], name)
        values = texts.dropna().unique()
        names_symbols = re.search(_SYMBOL_NAMES, name.lower()) is not None
        few = len(values) <= len(texts) / _MIN_ROWS_PER_VALUE
        if len(values) > 1 and (few or names_symbols) and not _is_measured(texts):
            raise _many_symbols_error(table, name, [str(value) for value in values], ticker)


def _is_measured(texts: pd.Series) -> bool:
    """Whether cells are numbers with decimals, which name nothing."""
    return bool(texts.dropna().str.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?").any())


def _time_apart_error(table: FileTable, date: str, time: str) -> InvalidBarsError:
    return InvalidBarsError(
        f"many rows have one {date}, and the column {time} tells them apart",
        expected="the timestamp of each bar",
        found=f"{next(iter(table.sample(date)), '')} and {next(iter(table.sample(time)), '')}",
        where=str(table.path),
        fix=f"add {write_columns({'timestamp': (date, time)})} to the files source",
    )


def _many_symbols_error(
    table: FileTable, name: str, values: Sequence[str], ticker: str
) -> InvalidBarsError:
    key = quote_name(name)
    if ticker in values:
        fix = f'add `where: {{{key}: "{{symbol}}"}}` to the files source'
    else:
        fix = (
            f"keep the rows of one: add `where: {{{key}: {quote_name(values[0])}}}` to the files "
            "source, with the text of the symbol"
        )
    return InvalidBarsError(
        f"this file has the bars of {len(values)} symbols: its column {name} tells rows of one "
        "timestamp apart",
        expected="the bars of one symbol",
        found=list_names(values),
        where=str(table.path),
        fix=fix,
    )

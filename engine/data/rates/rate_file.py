"""Reads a CSV file of annual rates."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.core.limits import MAX_RATE_FILE_BYTES
from engine.core.read_file import read_bytes
from engine.data.rates.config import HIGHEST_RATE, LOWEST_RATE

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector
    from engine.data.rates.config import RateSeriesSpec

_NO_VALUE = {"", ".", "NA", "ND", "N/A", "NaN", "nan"}
"""Cells of a day without a rate: `.` is what FRED writes, `ND` the Federal Reserve."""

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""Separators of cells that are not read."""

_FIRST_ROW = 2
"""Line of the file that holds the first row, after the header."""


@dataclass(frozen=True, eq=False)
class RateFile:
    """The rows of a rate file that have a value.

    Attributes:
        path: As configured.
        sha256: Of its bytes.
        dates: Date of each row, UTC, ascending, shape (m,).
        values: Annual rates as fractions, shape (m,); no NaN.
    """

    path: str
    sha256: str
    dates: npt.NDArray[np.datetime64]
    values: Vector


def read_rate_file(spec: RateSeriesSpec, key: str) -> RateFile:
    """Reads the rates of a CSV file; rows without a value are left out.

    Args:
        spec: File, columns and unit.
        key: Where the strategy configures it, for messages.

    Raises:
        UsageError: The file cannot be read or lacks a column; a cell is no date or no number; a
            date stands twice or not one row has a value; or a rate is implausible in its unit.
    """
    raw = _read_bytes(spec.file, key)
    table = _parse_table(raw, spec, key)
    date_column = table.columns[0] if spec.date is None else spec.date
    for name, option in ((date_column, "date"), (spec.column, "column")):
        if name not in table.columns:
            raise UsageError(
                "The rate file has no such column",
                expected=f"one of {', '.join(map(str, table.columns))}",
                found=name,
                where=f"{key}.{option}: {spec.file}",
                fix=f"name a column of the file as {key}.{option}",
            )
    text = table[spec.column].str.strip()
    filled = ~text.isin(_NO_VALUE)
    text, dated = text[filled], table.loc[filled, date_column].str.strip()
    if text.empty:
        raise UsageError(
            "The rate file has no rate",
            expected=f"a row with a number in the column {spec.column}",
            found=f"{len(table)} rows without one",
            where=f"{key}: {spec.file}",
            fix=f"name the column of the rates as {key}.column, or take a file that has some",
        )
    values = _to_fractions(text, spec, key)
    dates = _to_dates(dated, spec, key)
    order = np.argsort(dates, kind="stable")
    return RateFile(spec.file, hashlib.sha256(raw).hexdigest(), dates[order], values[order])


def _read_bytes(file: str, key: str) -> bytes:
    try:
        return read_bytes(Path(file), max_bytes=MAX_RATE_FILE_BYTES, what="a file of annual rates")
    except OSError as error:
        raise UsageError(
            "The rate file cannot be read",
            expected="a CSV file with a column of dates and one of annual rates",
            found=f"{error.strerror}: {file}",
            where=f"{key}.file",
            fix="name a file that exists, by an absolute path or relative to the strategy file",
        ) from None


def _parse_table(raw: bytes, spec: RateSeriesSpec, key: str) -> pd.DataFrame:
    header = raw.partition(b"\n")[0].decode("utf-8-sig", errors="replace").strip()
    separator = next((name for name in _OTHER_SEPARATORS if name in header), None)
    if separator and "," not in header:
        raise UsageError(
            f"The cells of the rate file are separated by {_OTHER_SEPARATORS[separator]}",
            expected="cells separated by commas, with a point in the rates: 2024-01-31,5.25",
            found=header,
            where=f"{key}.file: {spec.file}, line 1",
            fix="save the file with commas between the cells",
        )
    try:
        return pd.read_csv(
            io.BytesIO(raw), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        ).rename(columns=str.strip)
    except (ValueError, pd.errors.ParserError) as error:
        raise UsageError(
            "The rate file is no CSV file with a header",
            expected="a header, then rows of comma-separated cells in UTF-8",
            found=str(error).splitlines()[0] if raw.strip() else "an empty file",
            where=f"{key}.file: {spec.file}",
            fix="save the rates as a CSV file with a header such as date,rate, or name another "
            "file",
        ) from None


def _to_fractions(text: pd.Series[str], spec: RateSeriesSpec, key: str) -> Vector:
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    values = numbers / 100 if spec.unit == "percent" else numbers
    wrong = ~((values >= LOWEST_RATE) & (values <= HIGHEST_RATE))
    if not wrong.any():
        return np.asarray(values, dtype=np.float64)
    place = int(wrong.argmax())
    line, cell = int(text.index[place]) + _FIRST_ROW, text.iloc[place]
    if np.isnan(values[place]):
        raise UsageError(
            "A cell of the rate file is no number",
            expected="an annual rate, or an empty cell",
            found=cell,
            where=f"{key}: {spec.file}, line {line}, column {spec.column}",
            fix=f"correct the cell or leave it empty, or name another column as {key}.column",
        )
    unit = 100 if spec.unit == "percent" else 1
    other = "" if spec.unit == "percent" else f"; `unit: percent` in {key}, if {cell} is {cell} %"
    raise UsageError(
        "A rate of the file is implausible in its unit"
        if wrong.sum() == 1
        else f"{int(wrong.sum())} rates of the file are implausible in their unit",
        expected=f"from {LOWEST_RATE * unit:g} to {HIGHEST_RATE * unit:g} a year as a "
        f"{'percentage' if spec.unit == 'percent' else 'fraction'}",
        found=cell,
        where=f"{key}: {spec.file}, line {line}, column {spec.column}",
        fix=f"correct the cell{other}",
    )


def _to_dates(text: pd.Series[str], spec: RateSeriesSpec, key: str) -> npt.NDArray[np.datetime64]:
    parsed = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    bad = parsed.isna() | parsed.duplicated()
    if bad.any():
        place = int(bad.to_numpy().argmax())
        repeated = not pd.isna(parsed.iloc[place])
        raise UsageError(
            "A date of the rate file stands twice" if repeated else "A date cannot be read",
            expected="one row a date" if repeated else "a date such as 2024-01-31",
            found=text.iloc[place],
            where=f"{key}: {spec.file}, line {int(text.index[place]) + _FIRST_ROW}",
            fix="leave one of the rows out" if repeated else "write dates as year-month-day",
        )
    return parsed.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")

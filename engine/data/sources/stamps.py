"""Timestamps as files write them, read without guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

# Since 1970, the units of present-day instants lie three digits apart: 1e11 seconds is the year
# 5138, 1e11 milliseconds is 1973.
_UNITS: tuple[Literal["s", "ms", "us", "ns"], ...] = ("s", "ms", "us", "ns")
_LIMITS = (1e11, 1e14, 1e17)


@dataclass(frozen=True)
class Complaint:
    """The first cell that is no timestamp.

    Attributes:
        row: Its position, from 0.
        text: What it says.
        expected: What would have been right.
    """

    row: int
    text: str
    expected: str


def parse_stamps(cells: pd.Series) -> tuple[pd.Series, Complaint | None]:
    """Cells of a timestamp column as instants in UTC, or the first that cannot be read.

    Text is ISO 8601, each cell with or without an offset; naive text is UTC. Numbers are seconds,
    milliseconds, microseconds or nanoseconds since 1970, told apart by size and all of one unit,
    or dates written `YYYYMMDD`. An empty cell cannot be read.
    """
    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind == "M":
        return _checked(pd.to_datetime(cells, utc=True), cells, "a timestamp")
    if pd.api.types.is_numeric_dtype(cells):
        return _from_numbers(cells)
    stamps = pd.to_datetime(cells.astype("str"), format="ISO8601", utc=True, errors="coerce")
    return _checked(stamps, cells, "an ISO 8601 timestamp such as 2020-01-31 or 2020-01-31 23:00")


def _from_numbers(cells: pd.Series) -> tuple[pd.Series, Complaint | None]:
    if cells.between(1900_01_01, 2200_12_31).all() and (cells % 1 == 0).all():
        text = cells.astype("int64").astype("str")
        stamps = pd.to_datetime(text, format="%Y%m%d", utc=True, errors="coerce")
        return _checked(stamps, cells, "a date written YYYYMMDD")
    size = cells.abs().to_numpy(dtype="float64", na_value=np.nan)
    kinds = np.searchsorted(_LIMITS, size, side="right")
    odd = np.flatnonzero(np.isnan(size) | (kinds != kinds[:1]))
    if odd.size:
        row = int(odd[0])
        expected = "a number since 1970"
        if not np.isnan(size[row]):
            expected = f"{_UNITS[kinds[0]]} since 1970, as in the first row"
        return cells, Complaint(row, str(cells.iloc[row]), expected)
    unit = _UNITS[int(kinds[0])] if kinds.size else "s"
    return pd.to_datetime(cells, unit=unit, utc=True), None


def _checked(
    stamps: pd.Series, cells: pd.Series, expected: str
) -> tuple[pd.Series, Complaint | None]:
    wrong = stamps.isna().to_numpy()
    if not wrong.any():
        return stamps, None
    row = int(wrong.argmax())
    return stamps, Complaint(row, str(cells.iloc[row]), expected)

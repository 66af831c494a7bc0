"""Parses numbers since 1970; their size gives the unit where only one is plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.data.sources.files._parse_failure import ParseFailure

if TYPE_CHECKING:
    import numpy.typing as npt

EPOCH_UNITS: dict[str, Literal["s", "ms", "us", "ns"]] = {
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
}

# The newest bar of a file is from 1980 to 2099. The ranges of the units do not overlap, so that a
# number is plausible in one unit or in none.
_MIN_SECONDS = pd.Timestamp("1980-01-01").timestamp()
_MAX_SECONDS = pd.Timestamp("2100-01-01").timestamp()
# A spreadsheet counts days: these are of the years 1982 to 2119.
_EXCEL_EPOCH = pd.Timestamp("1899-12-30")
_FIRST_DAY_NUMBER, _LAST_DAY_NUMBER = 30_000, 80_000
_UNITS_PER_SECOND = (1e0, 1e3, 1e6, 1e9)


def parse_epochs(
    cells: pd.Series, date_format: str | None
) -> tuple[pd.Series, str] | ParseFailure:
    """Parses numbers as timestamps, and names their unit.

    Args:
        cells: Numbers; an empty cell fails.
        date_format: The unit, `seconds` to `nanoseconds`; any other value infers it: the unit in
            which the newest number is from 1980 to 2099. Numbers from those years in different
            units are refused.
    """
    sizes = cells.to_numpy(dtype="float64", na_value=np.nan)
    failure = _find_unusable_cell(cells, sizes)
    unit = date_format if date_format in EPOCH_UNITS else None
    if failure is None and unit is None and sizes.size:
        unit, failure = _infer_unit(cells, sizes)
    if failure is not None:
        return failure
    unit = unit or "seconds"
    timestamps = pd.to_datetime(cells, unit=EPOCH_UNITS[unit], utc=True, errors="coerce")
    failed = timestamps.isna().to_numpy()
    if failed.any():
        row = int(failed.argmax())
        return ParseFailure(row, str(cells.iloc[row]), f"{unit} since 1970", "correct `dates`")
    return timestamps, unit


def _find_unusable_cell(cells: pd.Series, values: npt.NDArray[np.float64]) -> ParseFailure | None:
    """An empty cell, or numbers that a spreadsheet wrote as 1.58E+12."""
    if np.isnan(values).any():
        row = int(np.isnan(values).argmax())
        return ParseFailure(row, str(cells.iloc[row]), "a number since 1970")
    repeated = cells.duplicated().to_numpy()
    if cells.dtype.kind == "f" and repeated.sum() > len(cells) / 2:
        row = int(repeated.argmax())
        return ParseFailure(
            row,
            f"{cells.iloc[row]:g}, as in {int((cells == cells.iloc[row]).sum())} rows",
            "a different number for every bar",
            "the last digits are lost, as in 1.58E+12: map another column to timestamp, or "
            "download the file again",
        )
    return None


def _infer_unit(
    cells: pd.Series, values: npt.NDArray[np.float64]
) -> tuple[str | None, ParseFailure | None]:
    """The unit of the newest number, or the failure that rules it out."""
    newest = int(values.argmax())
    plausible = [_is_plausible(values, scale) for scale in _UNITS_PER_SECOND]
    own = next((number for number, fits in enumerate(plausible) if fits[newest]), None)
    if own is None:
        return None, _no_unit_failure(newest, str(cells.iloc[newest]), values[newest])
    units = list(EPOCH_UNITS)
    others = ~plausible[own]
    if others.any() and np.logical_or.reduce(plausible).all():
        kinds = np.argmax(plausible, axis=0)
        row = int((kinds != kinds[0]).argmax())
        expected = f"{units[kinds[0]]} since 1970, as in the first row"
        found = f"{cells.iloc[row]}, which is {units[kinds[row]]}"
        fix = "map a column of one unit to timestamp, or write all rows in one"
        return None, ParseFailure(row, found, expected, fix)
    return units[own], None


def _is_plausible(values: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.bool_]:
    return np.asarray((values >= _MIN_SECONDS * scale) & (values < _MAX_SECONDS * scale))


def _no_unit_failure(row: int, text: str, size: float) -> ParseFailure:
    readings = [
        f"{_format_instant(size / scale)} in {unit}"
        for unit, scale in zip(EPOCH_UNITS, _UNITS_PER_SECOND, strict=True)
        if abs(size / scale) < 10 * _MAX_SECONDS
    ]
    fix = ""
    if _FIRST_DAY_NUMBER <= size <= _LAST_DAY_NUMBER:
        readings.append(f"{_EXCEL_EPOCH + pd.Timedelta(days=size):%Y-%m-%d} in a spreadsheet")
        fix = "; or format the column as YYYY-MM-DD in the spreadsheet before saving it as CSV"
    day = "%Y%m%d%H%M%S" if len(text) == len("20200131235959") else "%Y%m%d%H%M"
    return ParseFailure(
        row,
        f"{text}, the newest: {', '.join(readings)}" if readings else text,
        "seconds to nanoseconds since 1970, the newest from 1980 to 2099, or YYYYMMDD",
        f"declare the format, as in `dates: seconds` or `dates: '{day}'`{fix}",
    )


def _format_instant(seconds: float) -> str:
    return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d %H:%M}"

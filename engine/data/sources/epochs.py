"""Numbers since 1970: their unit told by their size, where only one unit is plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.data.sources.unreadable import Complaint

if TYPE_CHECKING:
    import numpy.typing as npt

UNITS: dict[str, Literal["s", "ms", "us", "ns"]] = {
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
}

# The newest bar of a file is of 1980 to 2099. In one unit that span ends long before it begins in
# the next, so that a number has one such reading or none.
_FROM = pd.Timestamp("1980-01-01").timestamp()
_TO = pd.Timestamp("2100-01-01").timestamp()
_SCALES = (1e0, 1e3, 1e6, 1e9)


def read_epochs(cells: pd.Series, dates: str | None) -> tuple[pd.Series, str] | Complaint:
    """Numbers as instants, and the name of their unit.

    Args:
        cells: Numbers; an empty cell cannot be read.
        dates: The unit, `seconds` to `nanoseconds`; any other value leaves it to the size: the
            one unit in which the newest is of 1980 to 2099. Numbers each of which is of those
            years, but in different units, are refused.
    """
    sizes = cells.to_numpy(dtype="float64", na_value=np.nan)
    complaint = _incomplete(cells, sizes)
    unit = dates if dates in UNITS else None
    if complaint is None and unit is None and sizes.size:
        unit, complaint = _unit(cells, sizes)
    if complaint is not None:
        return complaint
    unit = unit or "seconds"
    stamps = pd.to_datetime(cells, unit=UNITS[unit], utc=True, errors="coerce")
    wrong = stamps.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        return Complaint(row, str(cells.iloc[row]), f"{unit} since 1970", "correct `dates`")
    return stamps, unit


def _incomplete(cells: pd.Series, sizes: npt.NDArray[np.float64]) -> Complaint | None:
    """An empty cell, or numbers that a spreadsheet wrote as 1.58E+12."""
    if np.isnan(sizes).any():
        row = int(np.isnan(sizes).argmax())
        return Complaint(row, str(cells.iloc[row]), "a number since 1970")
    repeated = cells.duplicated().to_numpy()
    if cells.dtype.kind == "f" and repeated.sum() > len(cells) / 2:
        row = int(repeated.argmax())
        return Complaint(
            row,
            f"{cells.iloc[row]:g}, as in {int((cells == cells.iloc[row]).sum())} rows",
            "a number of its own for every bar",
            "the last digits are lost, as in 1.58E+12: map another column to timestamp, or "
            "download the file again",
        )
    return None


def _unit(cells: pd.Series, sizes: npt.NDArray[np.float64]) -> tuple[str | None, Complaint | None]:
    """The unit of the newest number, or what speaks against it."""
    newest = int(sizes.argmax())
    plausible = [_plausible(sizes, scale) for scale in _SCALES]
    own = next((place for place, fits in enumerate(plausible) if fits[newest]), None)
    if own is None:
        return None, _no_unit(newest, str(cells.iloc[newest]), sizes[newest])
    units = list(UNITS)
    others = ~plausible[own]
    if others.any() and np.logical_or.reduce(plausible).all():
        kinds = np.argmax(plausible, axis=0)
        row = int((kinds != kinds[0]).argmax())
        expected = f"{units[kinds[0]]} since 1970, as in the first row"
        found = f"{cells.iloc[row]}, which is {units[kinds[row]]}"
        fix = "map a column of one unit to timestamp, or write all rows in one"
        return None, Complaint(row, found, expected, fix)
    return units[own], None


def _plausible(sizes: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.bool_]:
    return np.asarray((sizes >= _FROM * scale) & (sizes < _TO * scale))


def _no_unit(row: int, text: str, size: float) -> Complaint:
    readings = [
        f"{_instant(size / scale)} in {unit}"
        for unit, scale in zip(UNITS, _SCALES, strict=True)
        if abs(size / scale) < 10 * _TO
    ]
    return Complaint(
        row,
        f"{text}, the newest: {', '.join(readings)}" if readings else text,
        "seconds to nanoseconds since 1970 with the newest of 1980 to 2099, or YYYYMMDD",
        "say what it is, as in `dates: seconds` or `dates: '%Y%m%d%H%M'`",
    )


def _instant(seconds: float) -> str:
    return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d %H:%M}"

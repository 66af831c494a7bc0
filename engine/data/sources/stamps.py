"""Timestamps as files write them, read without guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.sources.dates import read_dates
from engine.data.sources.epochs import UNITS, read_epochs
from engine.data.sources.unreadable import Complaint
from engine.data.sources.zones import local_days, to_instants

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reading:
    """How the timestamps of a file are to be read.

    Attributes:
        dates: As the files source declares; None for ISO, `YYYYMMDD` or numbers since 1970.
        timezone: IANA name of the zone of naive stamps and of days; None for UTC.
        daily: Whether bars are labelled by a day.
    """

    dates: str | None = None
    timezone: str | None = None
    daily: bool = False


@dataclass(frozen=True)
class Stamps:
    """Timestamps that were read.

    Attributes:
        values: UTC.
        told: How they were read, where that is not plain; a sentence or nothing.
    """

    values: pd.Series
    told: str = ""


def parse_stamps(cells: pd.Series, reading: Reading) -> Stamps | Complaint:
    """Cells of a timestamp column as instants in UTC, or the first that cannot be read.

    Text is ISO 8601, each cell with or without an offset, or as `dates` declares. Numbers are
    since 1970 or dates written `YYYYMMDD`. Naive stamps are of the reading's time zone. Where
    that is given and bars are daily, a stamp becomes midnight UTC of its day in the zone.
    """
    found = _read(cells, reading.dates)
    if isinstance(found, Complaint) or reading.timezone is None:
        return found if isinstance(found, Complaint) else found[0]
    stamps, naive = found
    if reading.daily:
        return Stamps(local_days(stamps.values, naive, reading.timezone), stamps.told)
    placed = to_instants(stamps.values, naive, reading.timezone)
    return placed if isinstance(placed, Complaint) else Stamps(placed, stamps.told)


def _read(cells: pd.Series, dates: str | None) -> tuple[Stamps, Mask] | Complaint:
    """Stamps, naive ones as if they were UTC, and which ones are naive."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind == "M":
        aware = isinstance(cells.dtype, pd.DatetimeTZDtype)
        stamps = pd.to_datetime(cells, utc=True)
        if stamps.isna().any():
            return Complaint(int(stamps.isna().to_numpy().argmax()), "nothing", "a timestamp")
        return Stamps(stamps), np.full(len(cells), not aware)
    if dates is None or dates in UNITS:
        numbers = _as_numbers(cells)
        if isinstance(numbers, Complaint):
            return numbers
        if numbers is not None:
            return _from_numbers(numbers, dates)
    text = _as_text(cells)
    read = read_dates(text, dates)
    if isinstance(read, Complaint):
        return read
    return Stamps(read), _naive(text, dates)


def _as_numbers(cells: pd.Series) -> pd.Series | Complaint | None:
    """The cells as numbers, where the first is one; None where it is not.

    Eight digits and other text are a date for each cell to be.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    first = "" if cells.empty else str(cells.iloc[0]).strip().lstrip("-")
    if not first.isdigit():
        return None
    numbers = pd.to_numeric(cells, errors="coerce")
    wrong = numbers.isna().to_numpy()
    if not wrong.any():
        return numbers
    if len(first) <= len("20200131"):
        return None
    row = int(wrong.argmax())
    return Complaint(row, str(cells.iloc[row]), "a number since 1970, as in the first row")


def _as_text(cells: pd.Series) -> pd.Series:
    """Text as it is; whole numbers without a point."""
    whole = pd.api.types.is_numeric_dtype(cells) and bool((cells.dropna() % 1 == 0).all())
    return cells.astype("Int64").astype("str") if whole else cells.astype("str")


def _from_numbers(cells: pd.Series, dates: str | None) -> tuple[Stamps, Mask] | Complaint:
    if dates not in UNITS and _are_days(cells):
        text = cells.astype("int64").astype("str")
        stamps = pd.to_datetime(text, format="%Y%m%d", utc=True, errors="coerce")
        if stamps.isna().any():
            row = int(stamps.isna().to_numpy().argmax())
            return Complaint(row, text.iloc[row], "a date written YYYYMMDD")
        return Stamps(stamps), np.full(len(cells), fill_value=True)
    read = read_epochs(cells, dates)
    if isinstance(read, Complaint):
        return read
    stamps, unit = read
    told = "" if dates in UNITS else f"timestamps are read as {unit} since 1970"
    return Stamps(stamps, told), np.full(len(cells), fill_value=False)


def _are_days(cells: pd.Series) -> bool:
    return bool(cells.between(1900_01_01, 2200_12_31).all() and (cells % 1 == 0).all())


def _naive(text: pd.Series, dates: str | None) -> Mask:
    """Which texts have no offset: in ISO one can only follow the ten characters of the date."""
    if dates is not None and "%" in dates:
        return np.full(len(text), "%z" not in dates)
    offset = text.astype("str").str.strip().str.slice(10).str.contains("[Zz+-]")
    return ~offset.fillna(value=False).to_numpy(dtype=bool)

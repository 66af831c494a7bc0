"""Timestamps as files write them, read without guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.sources.files._dates import parse_dates
from engine.data.sources.files._epochs import EPOCH_UNITS, parse_epochs
from engine.data.sources.files._parse_failure import ParseFailure

if TYPE_CHECKING:
    import numpy.typing as npt

    BoolMask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TimestampFormat:
    """How the timestamps of a file are to be read.

    Attributes:
        date_format: As the files source declares; None for ISO, `YYYYMMDD` or numbers since 1970.
        timezone: IANA name of the zone of naive stamps and of days; None for UTC.
        daily: Whether bars are labelled by a day.
    """

    date_format: str | None = None
    timezone: str | None = None
    daily: bool = False


@dataclass(frozen=True)
class ParsedTimestamps:
    """Timestamps that were read.

    Attributes:
        values: UTC.
        notice: How they were read, where that is not plain; a sentence or nothing.
    """

    values: pd.Series
    notice: str = ""


def parse_timestamps(
    cells: pd.Series, timestamp_format: TimestampFormat
) -> ParsedTimestamps | ParseFailure:
    """Cells of a timestamp column as instants in UTC, or the first that cannot be read.

    Text is ISO 8601, each cell with or without an offset, or as `dates` declares. Numbers are
    since 1970 or dates written `YYYYMMDD`. Naive stamps are of the reading's time zone. Where
    that is given and bars are daily, a stamp becomes midnight UTC of its day in the zone.
    """
    found = _parse_cells(cells, timestamp_format.date_format)
    if isinstance(found, ParseFailure) or timestamp_format.timezone is None:
        return found if isinstance(found, ParseFailure) else found[0]
    stamps, naive = found
    if timestamp_format.daily:
        return ParsedTimestamps(
            to_local_days(stamps.values, naive, timestamp_format.timezone), stamps.notice
        )
    placed = local_to_utc(stamps.values, naive, timestamp_format.timezone)
    return placed if isinstance(placed, ParseFailure) else ParsedTimestamps(placed, stamps.notice)


def _parse_cells(
    cells: pd.Series, date_format: str | None
) -> tuple[ParsedTimestamps, BoolMask] | ParseFailure:
    """Stamps, naive ones as if they were UTC, and which ones are naive."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind == "M":
        aware = isinstance(cells.dtype, pd.DatetimeTZDtype)
        stamps = pd.to_datetime(cells, utc=True)
        if stamps.isna().any():
            return ParseFailure(int(stamps.isna().to_numpy().argmax()), "nothing", "a timestamp")
        return ParsedTimestamps(stamps), np.full(len(cells), not aware)
    if date_format is None or date_format in EPOCH_UNITS:
        numbers = _to_numbers(cells)
        if isinstance(numbers, ParseFailure):
            return numbers
        if numbers is not None:
            return _parse_numeric(numbers, date_format)
    text = _to_text(cells)
    read = parse_dates(text, date_format)
    if isinstance(read, ParseFailure):
        return read
    return ParsedTimestamps(read), _is_naive(text, date_format)


def _to_numbers(cells: pd.Series) -> pd.Series | ParseFailure | None:
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
    return ParseFailure(row, str(cells.iloc[row]), "a number since 1970, as in the first row")


def _to_text(cells: pd.Series) -> pd.Series:
    """Text as it is; whole numbers without a point."""
    whole = pd.api.types.is_numeric_dtype(cells) and bool((cells.dropna() % 1 == 0).all())
    return cells.astype("Int64").astype("str") if whole else cells.astype("str")


def _parse_numeric(
    cells: pd.Series, date_format: str | None
) -> tuple[ParsedTimestamps, BoolMask] | ParseFailure:
    if date_format not in EPOCH_UNITS and _are_yyyymmdd(cells):
        text = cells.astype("int64").astype("str")
        stamps = pd.to_datetime(text, format="%Y%m%d", utc=True, errors="coerce")
        if stamps.isna().any():
            row = int(stamps.isna().to_numpy().argmax())
            return ParseFailure(row, text.iloc[row], "a date written YYYYMMDD")
        return ParsedTimestamps(stamps), np.full(len(cells), fill_value=True)
    read = parse_epochs(cells, date_format)
    if isinstance(read, ParseFailure):
        return read
    stamps, unit = read
    told = "" if date_format in EPOCH_UNITS else f"timestamps are read as {unit} since 1970"
    return ParsedTimestamps(stamps, told), np.full(len(cells), fill_value=False)


def _are_yyyymmdd(cells: pd.Series) -> bool:
    return bool(cells.between(1900_01_01, 2200_12_31).all() and (cells % 1 == 0).all())


def _is_naive(text: pd.Series, date_format: str | None) -> BoolMask:
    """Which texts have no offset: in ISO one can only follow the ten characters of the date."""
    if date_format is not None and "%" in date_format:
        return np.full(len(text), "%z" not in date_format)
    offset = text.astype("str").str.strip().str.slice(10).str.contains("[Zz+-]")
    return ~offset.fillna(value=False).to_numpy(dtype=bool)


def to_local_days(timestamps: pd.Series, naive: BoolMask, zone: str) -> pd.Series:
    """Midnight UTC of the day that each stamp has in the zone.

    Args:
        timestamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    local = timestamps.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")
    days: pd.Series = timestamps.where(naive, local).dt.floor("D")
    return days


def local_to_utc(timestamps: pd.Series, naive: BoolMask, zone: str) -> pd.Series | ParseFailure:
    """Local times as instants; others unchanged.

    An hour that the clock repeats in autumn is told apart by the order of the rows, where both
    of its runs are there.

    Args:
        timestamps: UTC; naive ones are local times written as if they were.
        naive: Which ones are naive.
        zone: IANA name.
    """
    walls = timestamps.dt.tz_localize(None)
    summer = _localize(walls, zone, is_dst=True)
    winter = _localize(walls, zone, is_dst=False)
    absent = (summer.isna().to_numpy()) & naive
    if absent.any():
        row = int(absent.argmax())
        return ParseFailure(
            row,
            f"{walls.iloc[row]}, a time that the clocks of {zone} left out that day",
            f"local times of {zone}",
            "correct `timezone` of the files source: stamps without a change of clocks are often "
            "UTC",
        )
    twice = (summer != winter).to_numpy() & naive
    first_pass, unclear = _first_occurrences(walls, twice)
    if unclear is not None:
        readings = f"{summer.iloc[unclear]:%H:%M} or {winter.iloc[unclear]:%H:%M} UTC"
        return ParseFailure(
            unclear,
            f"{walls.iloc[unclear]}, which is {readings}: the clocks of {zone} were set back",
            "both runs of the repeated hour, or times with their offset",
            "write the stamps in UTC or with their offset",
        )
    instants = winter.where(~first_pass, summer)
    return timestamps.where(~naive, instants)


def _localize(local_times: pd.Series, zone: str, *, is_dst: bool) -> pd.Series:
    which = np.full(len(local_times), is_dst)
    placed = local_times.dt.tz_localize(zone, ambiguous=which, nonexistent="NaT")
    instants: pd.Series = placed.dt.tz_convert("UTC")
    return instants


def _first_occurrences(local_times: pd.Series, ambiguous: BoolMask) -> tuple[BoolMask, int | None]:
    """Which repeated times are of the first run, and a row that cannot be told."""
    first = np.zeros(len(local_times), dtype=bool)
    rows = np.flatnonzero(ambiguous)
    if not rows.size:
        return first, None
    values = local_times.to_numpy().astype("datetime64[us]").astype("int64")
    newest_first = values[0] > values[-1]
    # One stretch a change of clocks: rows of the same day.
    days = values[rows] // 86_400_000_000
    for stretch in np.split(rows, np.flatnonzero(np.diff(days)) + 1):
        ordered = stretch[::-1] if newest_first else stretch
        back = np.flatnonzero(np.diff(values[ordered]) <= 0)
        if back.size != 1:
            return first, int(ordered[0])
        first[ordered[: back[0] + 1]] = True
    return first, None

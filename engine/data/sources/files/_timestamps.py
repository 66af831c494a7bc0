"""Parses the timestamps of files and converts local times to UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engine.data.sources.files._dates import declares_text_dates, parse_dates
from engine.data.sources.files._epochs import EPOCH_UNITS, parse_epochs
from engine.data.sources.files._numbers import to_exact_numbers
from engine.data.sources.files._parse_failure import ParseFailure

if TYPE_CHECKING:
    import numpy.typing as npt

    BoolMask = npt.NDArray[np.bool_]

_NUMBER_PATTERN = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class TimestampFormat:
    """Declared format of the timestamps of a file.

    Attributes:
        date_format: As the files source declares; None for ISO, `YYYYMMDD` or numbers since 1970.
        timezone: IANA name of the time zone of naive timestamps and of days; None for UTC.
        daily: Whether bars are labelled by a day.
    """

    date_format: str | None = None
    timezone: str | None = None
    daily: bool = False


@dataclass(frozen=True)
class ParsedTimestamps:
    """Timestamps parsed from a column.

    Attributes:
        values: UTC.
        notice: How they were interpreted, where a user may not expect it; empty otherwise.
    """

    values: pd.Series
    notice: str = ""


def parse_timestamps(
    cells: pd.Series, timestamp_format: TimestampFormat
) -> ParsedTimestamps | ParseFailure:
    """Parses a timestamp column as UTC, or returns the first cell that fails.

    Text is ISO 8601, each cell with or without an offset, or as `dates` declares. Numbers are
    since 1970 or dates written `YYYYMMDD`. Naive timestamps are in the declared time zone. Where
    that is given and bars are daily, a timestamp becomes midnight UTC of its local day.
    """
    result = _parse_cells(cells, timestamp_format.date_format)
    if isinstance(result, ParseFailure):
        return result
    parsed, naive = result
    if timestamp_format.timezone is None:
        return parsed
    if timestamp_format.daily:
        days = _to_local_days(parsed.values, naive, timestamp_format.timezone)
        return ParsedTimestamps(days, parsed.notice)
    utc = _local_to_utc(parsed.values, naive, timestamp_format.timezone)
    return utc if isinstance(utc, ParseFailure) else ParsedTimestamps(utc, parsed.notice)


def join_date_and_time(dates: pd.Series, times: pd.Series, date_format: str | None) -> pd.Series:
    """One column of text from a date and a time of the day, with a space between them.

    Times without colons (930, 93000) are written with them, unless the source declares a format of
    `strptime`, which then says how both are written.
    """
    day = _to_text(_without_midnight(dates)).str.strip()
    time = _to_text(times).str.strip()
    if date_format is None or "%" not in date_format:
        digits = time.str.fullmatch(r"\d{1,6}").fillna(value=False)
        if len(time) and bool(digits.all()):
            width = 4 if int(time.str.len().max()) <= 4 else 6
            padded = time.str.zfill(width)
            time = padded.str.replace(r"(\d\d)(?=\d)", r"\1:", regex=True)
    return day.str.cat(time, sep=" ")


def _without_midnight(dates: pd.Series) -> pd.Series:
    """Dates that a typed file keeps as timestamps, as text without their time."""
    return dates.dt.strftime("%Y-%m-%d") if dates.dtype.kind == "M" else dates


def _parse_cells(
    cells: pd.Series, date_format: str | None
) -> tuple[ParsedTimestamps, BoolMask] | ParseFailure:
    """Timestamps, naive ones as if in UTC, and which ones are naive."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype) or cells.dtype.kind == "M":
        aware = isinstance(cells.dtype, pd.DatetimeTZDtype)
        stamps = pd.to_datetime(cells, utc=True)
        if stamps.isna().any():
            return ParseFailure(int(stamps.isna().to_numpy().argmax()), "nothing", "a timestamp")
        return ParsedTimestamps(stamps), np.full(len(cells), not aware)
    if not declares_text_dates(date_format) and date_format != "iso":
        numbers = _to_numbers(cells)
        if isinstance(numbers, ParseFailure):
            return numbers
        if numbers is not None:
            return _parse_numeric(numbers, date_format)
    read = parse_dates(_to_text(cells), date_format)
    if isinstance(read, ParseFailure):
        return read
    return ParsedTimestamps(read.values), read.naive


def _to_numbers(cells: pd.Series) -> pd.Series | ParseFailure | None:
    """The cells as numbers if the first is one; None if it is not.

    A first cell of eight digits followed by other text is parsed as dates instead.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    first = "" if cells.empty else str(cells.iloc[0]).strip()
    if _NUMBER_PATTERN.fullmatch(first) is None:
        return None
    numbers = _to_whole_numbers(cells)
    numbers = to_exact_numbers(cells) if numbers is None else numbers
    failed = numbers.isna().to_numpy()
    if not failed.any():
        return numbers
    if len(first) <= len("20200131"):
        return None
    row = int(failed.argmax())
    return ParseFailure(row, str(cells.iloc[row]), "a number since 1970, as in the first row")


def _to_whole_numbers(cells: pd.Series) -> pd.Series | None:
    try:
        numbers = pc.cast(pa.array(cells.str.strip(), from_pandas=True), pa.int64())
    except pa.ArrowInvalid:
        return None
    return None if numbers.null_count else pd.Series(np.asarray(numbers), index=cells.index)


def _to_text(cells: pd.Series) -> pd.Series:
    """The cells as text; whole numbers without a decimal point."""
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
    notice = "" if date_format in EPOCH_UNITS else f"timestamps are read as {unit} since 1970"
    return ParsedTimestamps(stamps, notice), np.full(len(cells), fill_value=False)


def _are_yyyymmdd(cells: pd.Series) -> bool:
    return bool(cells.between(1900_01_01, 2200_12_31).all() and (cells % 1 == 0).all())


def _to_local_days(timestamps: pd.Series, naive: BoolMask, zone: str) -> pd.Series:
    """Midnight UTC of the local day of each timestamp.

    Args:
        timestamps: UTC; naive ones are local times labelled as UTC.
        naive: Which ones are naive.
        zone: IANA name.
    """
    local = timestamps.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")
    days: pd.Series = timestamps.where(naive, local).dt.floor("D")
    return days


def _local_to_utc(timestamps: pd.Series, naive: BoolMask, zone: str) -> pd.Series | ParseFailure:
    """Converts local times to UTC; other timestamps stay unchanged.

    The order of the rows distinguishes the two passes of the hour that clocks repeat in autumn, if
    both are present.

    Args:
        timestamps: UTC; naive ones are local times labelled as UTC.
        naive: Which ones are naive.
        zone: IANA name.
    """
    local = timestamps.dt.tz_localize(None)
    summer = _localize(local, zone, is_dst=True)
    winter = _localize(local, zone, is_dst=False)
    nonexistent = (summer.isna().to_numpy()) & naive
    if nonexistent.any():
        row = int(nonexistent.argmax())
        return ParseFailure(
            row,
            f"{local.iloc[row]}, a time that the clocks of {zone} skipped that day",
            f"local times of {zone}",
            "correct `timezone` of the files source: timestamps without daylight saving are often "
            "UTC",
        )
    ambiguous = (summer != winter).to_numpy() & naive
    first_pass, unclear = _first_occurrences(local, ambiguous)
    if unclear is not None:
        readings = f"{summer.iloc[unclear]:%H:%M} or {winter.iloc[unclear]:%H:%M} UTC"
        return ParseFailure(
            unclear,
            f"{local.iloc[unclear]}, which is {readings}: the clocks of {zone} were set back",
            "both passes of the repeated hour, or times with their offset",
            "write the timestamps in UTC or with their offset",
        )
    utc = winter.where(~first_pass, summer)
    return timestamps.where(~naive, utc)


def _localize(local_times: pd.Series, zone: str, *, is_dst: bool) -> pd.Series:
    dst = np.full(len(local_times), is_dst)
    localized = local_times.dt.tz_localize(zone, ambiguous=dst, nonexistent="NaT")
    utc: pd.Series = localized.dt.tz_convert("UTC")
    return utc


def _first_occurrences(local_times: pd.Series, ambiguous: BoolMask) -> tuple[BoolMask, int | None]:
    """Which repeated times are of the first pass, and a row that stays ambiguous."""
    first = np.zeros(len(local_times), dtype=bool)
    rows = np.flatnonzero(ambiguous)
    if not rows.size:
        return first, None
    values = local_times.to_numpy().astype("datetime64[us]").astype("int64")
    newest_first = values[0] > values[-1]
    # One stretch per clock change: rows of the same day.
    days = values[rows] // 86_400_000_000
    for stretch in np.split(rows, np.flatnonzero(np.diff(days)) + 1):
        ordered = stretch[::-1] if newest_first else stretch
        back = np.flatnonzero(np.diff(values[ordered]) <= 0)
        if back.size != 1:
            return first, int(ordered[0])
        first[ordered[: back[0] + 1]] = True
    return first, None

"""Parses dates in text: ISO 8601, or the format that the source declares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engine.data.sources.files._epochs import EPOCH_UNITS
from engine.data.sources.files._parse_failure import SPREADSHEET_FIX, ParseFailure

if TYPE_CHECKING:
    import numpy.typing as npt

DayMonthOrder = Literal["day_first", "month_first"]
_DAY_MONTH_ORDERS: tuple[DayMonthOrder, DayMonthOrder] = ("day_first", "month_first")

_ISO_EXPECTED = "an ISO 8601 timestamp such as 2020-01-31 or 2020-01-31 23:00"
_DECLARE_FIX = "say how dates are written, as in `dates: '%d.%m.%Y %H:%M'`"

_TIME_OF_DAY = (
    r"(?:(?P<gap> {1,2}|T)\d{1,2}(?P<colon>:)?\d{2}"
    r"(?P<seconds>(?(colon):)\d{2}(?P<fraction>\.\d+)?)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<zone> ?(?:(?:GMT|UTC)?(?P<offset>[+-]\d{2}:?\d{2})|GMT|UTC|Z))?)?"
)
_DAY_MONTH_PATTERN = re.compile(
    r"\d{1,2}(?P<mark>[/.-])\d{1,2}(?P=mark)(?P<year>\d{4}|\d{2})" + _TIME_OF_DAY
)
_YEAR_FIRST_PATTERN = re.compile(
    r"\d{4}(?P<mark>[/.-])(?:\d{2}(?P=mark)\d{2}(?!\d)|(?P<unpadded>\d{1,2}(?P=mark)\d{1,2}))"
    + _TIME_OF_DAY
)
_COMPACT_PATTERN = re.compile(r"\d{4}(?P<mark>)\d{4}(?P<unpadded>(?= ))" + _TIME_OF_DAY)
_NAMED_ZONE = re.compile(r"(?P<stem>\d.*\d) (?P<zone>[A-Z]{3,5}|[A-Z]\w+/[A-Z]\w+)")
_LITERAL_UTC = re.compile(r"\b(UTC|GMT|Z)\b")

# Offered where one of them fits every cell of a column; none has two readings.
_SUGGESTED_FORMATS = (
    *("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y"),
    *("%b %d, %Y %H:%M", "%b %d, %Y, %I:%M %p", "%d %b %Y %H:%M", "%d-%b-%Y %H:%M:%S"),
    *("%Y-%m-%d %I-%p", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S GMT"),
    *("%Y-%m-%d %H:%M UTC", "%Y-%m-%d %H:%M:%S.%f UTC", "%Y-%m-%d %H:%M:%S GMT%z"),
    *("%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %Y %H:%M:%S GMT%z", "%a, %d %b %Y", "%a %d %b %Y"),
    *("%Y-%m-%d %H-%M-%S", "%Y-%m-%d-%H-%M-%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d-%H:%M:%S"),
)


@dataclass(frozen=True)
class ParsedDates:
    """Timestamps parsed from text.

    Attributes:
        values: UTC; naive ones as if in UTC.
        naive: Which of them had no offset: all or none where it is a single value.
    """

    values: pd.Series
    naive: npt.NDArray[np.bool_]


def declares_text_dates(date_format: str | None) -> bool:
    """Whether the declared format is text, so that `01022020` is a date and not a number."""
    return date_format is not None and (date_format in _DAY_MONTH_ORDERS or "%" in date_format)


def parse_dates(cells: pd.Series, date_format: str | None) -> ParsedDates | ParseFailure:
    """Parses text as timestamps; or returns the first cell that fails.

    Args:
        cells: Text; an empty cell fails.
        date_format: `iso`, `day_first`, `month_first`, a format of `strptime`, or None for text
            that begins with the year, where a failure lists the other interpretations. Text that
            begins with the year is accepted unless a `strptime` format is given. Text is never a
            number since 1970.
    """
    if date_format is not None and "%" in date_format:
        return _parse_with_format(cells, date_format, f"a date written {date_format}")
    return _parse_iso_at_once(cells) or _parse_named_format(cells, date_format)


def _parse_named_format(cells: pd.Series, date_format: str | None) -> ParsedDates | ParseFailure:
    text = cells.astype("str").str.strip() if len(cells) else cells.astype("str")
    first = str(text.iloc[0]) if len(text) else ""
    if date_format in _DAY_MONTH_ORDERS and first and not _begins_with_year(first):
        return _parse_day_month(text, _DAY_MONTH_ORDERS[_DAY_MONTH_ORDERS.index(date_format)])
    if date_format in EPOCH_UNITS and len(text):
        return ParseFailure(0, first, f"{date_format} since 1970", "correct `dates`")
    if year_first := _infer_year_first(first):
        return _parse_with_format(text, year_first, f"{_ISO_EXPECTED}, as in the first row")
    timestamps = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    if date_format is None and len(text) and bool(timestamps.isna().all()):
        return _explain_non_iso(text)
    failure = _find_failure(timestamps, text, _ISO_EXPECTED)
    return failure or ParsedDates(timestamps, _have_no_offset(text))


def _parse_iso_at_once(cells: pd.Series) -> ParsedDates | None:
    """All cells with Arrow, in a tenth of the time; None where one is written in another way."""
    for kind, naive in ((pa.timestamp("us"), True), (pa.timestamp("us", "UTC"), False)):
        try:
            parsed = pc.cast(pa.array(cells, from_pandas=True), kind)
        except pa.ArrowInvalid:
            continue
        if parsed.null_count:
            return None
        stamps = np.asarray(parsed.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False))
        values = pd.Series(stamps, index=cells.index).dt.tz_localize("UTC")
        return ParsedDates(values, np.full(len(cells), naive))
    return None


def _have_no_offset(text: pd.Series) -> npt.NDArray[np.bool_]:
    """Which ISO texts have no UTC offset, which follows the ten characters of the date."""
    offset = text.str.slice(10).str.contains("[Zz+-]")
    return ~offset.fillna(value=False).to_numpy(dtype=bool)


def _begins_with_year(text: str) -> bool:
    return re.match(r"\d{4}(\D|\d{4}(\D|$))", text) is not None


def _infer_year_first(text: str) -> str | None:
    """The `strptime` format of text that begins with the year and is not ISO; None for others."""
    match = _YEAR_FIRST_PATTERN.fullmatch(text) or _COMPACT_PATTERN.fullmatch(text)
    if match is None:
        return None
    day = match["mark"].join(("%Y", "%m", "%d"))
    named_zone = "UTC" in (match["zone"] or "") or "GMT" in (match["zone"] or "")
    is_iso = match["mark"] == "-" and match["unpadded"] is None
    if is_iso and not match["half"] and not named_zone:
        return None
    return day + _format_of_time(match)


def _parse_day_month(text: pd.Series, order: DayMonthOrder) -> ParsedDates | ParseFailure:
    """Parses all dates with the format of the first one."""
    inferred = _infer_format(str(text.iloc[0]), order)
    words = order.replace("_", " ")
    if inferred is None:
        expected = f"a date with the {words}, such as 1/2/2020, 01.02.20 or 01-02-2020 23:00"
        return ParseFailure(0, str(text.iloc[0]), expected, _DECLARE_FIX)
    return _parse_with_format(text, inferred, f"a date with the {words}, as in the first row")


def _explain_non_iso(text: pd.Series) -> ParseFailure:
    """Lists every interpretation of a column without any ISO date."""
    first = str(text.iloc[0])
    formats = {order: _infer_format(first, order) for order in _DAY_MONTH_ORDERS}
    parsed = {order: _to_datetimes(text, fmt) for order, fmt in formats.items() if fmt}
    valid = {order: stamps for order, stamps in parsed.items() if not stamps.isna().any()}
    if not valid:
        return ParseFailure(0, first, _ISO_EXPECTED, _suggest_format(text))
    row = 0
    if len(valid) > 1:
        day, month = valid.values()
        row = int((day != month).to_numpy().argmax())
    readings = ", ".join(
        f"{_format_date(stamps.iloc[row])} with the {order.replace('_', ' ')}"
        for order, stamps in valid.items()
    )
    found = f"{text.iloc[row]}: {readings}"
    keys = " or ".join(f"`dates: {order}`" for order in valid)
    fix = f"say which: add {keys} to the files source"
    if len(valid) == 1:
        fix = f"add {keys} to the files source, the one of the two that fits every cell"
    expected = f"{_ISO_EXPECTED}, or a declaration of the order"
    return ParseFailure(row, found, expected, fix, "ambiguous_dates", len(text))


def _suggest_format(text: pd.Series) -> str:
    """The format of `strptime` that fits every cell, as a fix; or how to declare one."""
    zoned = _NAMED_ZONE.fullmatch(str(text.iloc[0]))
    if zoned is not None and (stem := _format_of(zoned["stem"])):
        return (
            f"add `dates: '{stem} {zoned['zone']}'` to the files source, and `timezone` with the "
            "IANA name of that zone such as America/New_York"
        )
    fits = (fmt for fmt in _SUGGESTED_FORMATS if not _to_datetimes(text, fmt).isna().any())
    first = next(fits, None)
    if first is None:
        return f"{_DECLARE_FIX}; or {SPREADSHEET_FIX}"
    return f"add `dates: '{first}'` to the files source"


def _format_of(text: str) -> str | None:
    """The `strptime` format of text that begins with the year; None where it has none."""
    match = _YEAR_FIRST_PATTERN.fullmatch(text) or _COMPACT_PATTERN.fullmatch(text)
    return match and match["mark"].join(("%Y", "%m", "%d")) + _format_of_time(match)


def _infer_format(text: str, order: DayMonthOrder) -> str | None:
    """The `strptime` format of a date; None where it does not match the order."""
    match = _DAY_MONTH_PATTERN.fullmatch(text)
    if match is None:
        return None
    mark, year = match["mark"], "%Y" if len(match["year"]) == 4 else "%y"
    day = mark.join(("%d", "%m", year) if order == "day_first" else ("%m", "%d", year))
    return day + _format_of_time(match)


def _format_of_time(match: re.Match[str]) -> str:
    """The `strptime` format of the time after a date, with its offset."""
    if match["gap"] is None:
        return ""
    hour = "%I" if match["half"] else "%H"
    colon = ":" if match["colon"] else ""
    seconds = f"{colon}%S" if match["seconds"] else ""
    fraction = ".%f" if match["fraction"] else ""
    half = (match["half"] or "")[:-2] + "%p" if match["half"] else ""
    zone = match["zone"] or ""
    if match["offset"]:
        zone = zone.removesuffix(match["offset"]) + "%z"
    return f"{match['gap']}{hour}{colon}%M{seconds}{fraction}{half}{zone}"


def _parse_with_format(
    cells: pd.Series, strptime_format: str, expected: str
) -> ParsedDates | ParseFailure:
    text = cells.astype("str").str.strip()
    timestamps = _to_datetimes(text, strptime_format)
    # A zone that the format names by its letters is UTC in these three cases only.
    literals = re.sub("%.", " ", strptime_format)
    aware = "%z" in strptime_format or _LITERAL_UTC.search(literals) is not None
    failure = _find_failure(timestamps, text, expected)
    return failure or ParsedDates(timestamps, np.full(len(text), not aware))


def _to_datetimes(text: pd.Series, strptime_format: str) -> pd.Series:
    return pd.to_datetime(text, format=strptime_format, utc=True, errors="coerce")


def _find_failure(timestamps: pd.Series, text: pd.Series, expected: str) -> ParseFailure | None:
    failed = timestamps.isna().to_numpy()
    if not failed.any():
        return None
    row = int(failed.argmax())
    return ParseFailure(row, str(text.iloc[row]), expected, count=int(failed.sum()))


def _format_date(stamp: pd.Timestamp) -> str:
    return f"{stamp:%Y-%m-%d}"

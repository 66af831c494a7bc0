"""Parses dates in text: ISO 8601, or the format that the source declares."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from engine.data.sources.files._epochs import EPOCH_UNITS
from engine.data.sources.files._parse_failure import SPREADSHEET_FIX, ParseFailure

DayMonthOrder = Literal["day_first", "month_first"]
_DAY_MONTH_ORDERS: tuple[DayMonthOrder, DayMonthOrder] = ("day_first", "month_first")

_ISO_EXPECTED = "an ISO 8601 timestamp such as 2020-01-31 or 2020-01-31 23:00"
_DECLARE_FIX = "say how dates are written, as in `dates: '%d.%m.%Y %H:%M'`"

_DAY_MONTH_PATTERN = re.compile(
    r"\d{1,2}(?P<mark>[/.-])\d{1,2}(?P=mark)(?P<year>\d{4}|\d{2})"
    r"(?:(?P<gap>[ T])\d{1,2}:\d{2}(?P<seconds>:\d{2}(?P<fraction>\.\d+)?)?"
    r"(?P<half> ?[AaPp][Mm])?)?"
)


def declares_text_dates(date_format: str | None) -> bool:
    """Whether the declared format is text, so that `01022020` is a date and not a number."""
    return date_format is not None and (date_format in _DAY_MONTH_ORDERS or "%" in date_format)


def parse_dates(cells: pd.Series, date_format: str | None) -> pd.Series | ParseFailure:
    """Parses text as timestamps, naive text as UTC; or returns the first cell that fails.

    Args:
        cells: Text; an empty cell fails.
        date_format: `iso`, `day_first`, `month_first`, a format of `strptime`, or None for ISO,
            where a failure lists the other interpretations. Text that begins with the year is ISO
            unless a `strptime` format is given. Text is never a number since 1970.
    """
    text = cells.astype("str").str.strip()
    if date_format is not None and "%" in date_format:
        return _require_all_parsed(
            _parse_with_format(text, date_format), text, f"a date written {date_format}"
        )
    if date_format in _DAY_MONTH_ORDERS and len(text) and not _begins_with_year(text.iloc[0]):
        return _parse_day_month(text, _DAY_MONTH_ORDERS[_DAY_MONTH_ORDERS.index(date_format)])
    if date_format in EPOCH_UNITS and len(text):
        return ParseFailure(0, str(text.iloc[0]), f"{date_format} since 1970", "correct `dates`")
    timestamps = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    if date_format is None and len(text) and bool(timestamps.isna().all()):
        return _explain_non_iso(text)
    return _require_all_parsed(timestamps, text, _ISO_EXPECTED)


def _begins_with_year(text: object) -> bool:
    return re.match(r"\d{4}(\D|\d{4}(\D|$))", str(text)) is not None


def _parse_day_month(text: pd.Series, order: DayMonthOrder) -> pd.Series | ParseFailure:
    """Parses all dates with the format of the first one."""
    inferred = _infer_format(str(text.iloc[0]), order)
    words = order.replace("_", " ")
    if inferred is None:
        expected = f"a date with the {words}, such as 1/2/2020, 01.02.20 or 01-02-2020 23:00"
        return ParseFailure(0, str(text.iloc[0]), expected, _DECLARE_FIX)
    return _require_all_parsed(
        _parse_with_format(text, inferred), text, f"a date with the {words}, as in the first row"
    )


def _explain_non_iso(text: pd.Series) -> ParseFailure:
    """Lists every interpretation of a column without any ISO date."""
    first = str(text.iloc[0])
    formats = {order: _infer_format(first, order) for order in _DAY_MONTH_ORDERS}
    parsed = {order: _parse_with_format(text, fmt) for order, fmt in formats.items() if fmt}
    valid = {order: stamps for order, stamps in parsed.items() if not stamps.isna().any()}
    if not valid:
        return ParseFailure(0, first, _ISO_EXPECTED, f"{_DECLARE_FIX}; or {SPREADSHEET_FIX}")
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


def _infer_format(text: str, order: DayMonthOrder) -> str | None:
    """The `strptime` format of a date; None where it does not match the order."""
    match = _DAY_MONTH_PATTERN.fullmatch(text)
    if match is None:
        return None
    mark, year = match["mark"], "%Y" if len(match["year"]) == 4 else "%y"
    day = mark.join(("%d", "%m", year) if order == "day_first" else ("%m", "%d", year))
    if match["gap"] is None:
        return day
    hour = "%I" if match["half"] else "%H"
    seconds = ":%S" if match["seconds"] else ""
    fraction = ".%f" if match["fraction"] else ""
    half = (match["half"] or "")[:-2] + "%p" if match["half"] else ""
    return f"{day}{match['gap']}{hour}:%M{seconds}{fraction}{half}"


def _parse_with_format(text: pd.Series, strptime_format: str) -> pd.Series:
    return pd.to_datetime(text, format=strptime_format, utc=True, errors="coerce")


def _require_all_parsed(
    timestamps: pd.Series, text: pd.Series, expected: str
) -> pd.Series | ParseFailure:
    failed = timestamps.isna().to_numpy()
    if not failed.any():
        return timestamps
    row = int(failed.argmax())
    return ParseFailure(row, str(text.iloc[row]), expected, count=int(failed.sum()))


def _format_date(stamp: pd.Timestamp) -> str:
    return f"{stamp:%Y-%m-%d}"

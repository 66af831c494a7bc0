"""Dates in text: ISO 8601, or whatever the source declares, and never a guess."""

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
    """Whether dates are written so that even `01022020` must not be taken for a number."""
    return date_format is not None and (date_format in _DAY_MONTH_ORDERS or "%" in date_format)


def parse_dates(cells: pd.Series, date_format: str | None) -> pd.Series | ParseFailure:
    """Text as instants, naive text as if it were UTC; or the first cell that cannot be read.

    Args:
        cells: Text; an empty cell cannot be read.
        date_format: `iso`, `day_first`, `month_first`, a format of `strptime`, or None for ISO
            with every other reading told. Text that begins with the year is ISO under all but a
            format. Text is no number since 1970, whatever the unit.
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
    stamps = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    wrong = stamps.isna()
    if date_format is None and len(text) and bool(wrong.all()):
        return _explain_non_iso(text)
    return _require_all_parsed(stamps, text, _ISO_EXPECTED)


def _begins_with_year(text: object) -> bool:
    return re.match(r"\d{4}(\D|\d{4}(\D|$))", str(text)) is not None


def _parse_day_month(text: pd.Series, order: DayMonthOrder) -> pd.Series | ParseFailure:
    """Dates of the shape that the first of them has."""
    shape = _infer_format(str(text.iloc[0]), order)
    words = order.replace("_", " ")
    if shape is None:
        expected = f"a date with the {words}, such as 1/2/2020, 01.02.20 or 01-02-2020 23:00"
        return ParseFailure(0, str(text.iloc[0]), expected, _DECLARE_FIX)
    return _require_all_parsed(
        _parse_with_format(text, shape), text, f"a date with the {words}, as in the first row"
    )


def _explain_non_iso(text: pd.Series) -> ParseFailure:
    """Every reading of a column of which no cell is ISO."""
    first = str(text.iloc[0])
    shapes = {order: _infer_format(first, order) for order in _DAY_MONTH_ORDERS}
    read = {order: _parse_with_format(text, shape) for order, shape in shapes.items() if shape}
    fitting = {order: stamps for order, stamps in read.items() if not stamps.isna().any()}
    if not fitting:
        return ParseFailure(0, first, _ISO_EXPECTED, f"{_DECLARE_FIX}; or {SPREADSHEET_FIX}")
    row = 0
    if len(fitting) > 1:
        day, month = fitting.values()
        row = int((day != month).to_numpy().argmax())
    readings = ", ".join(
        f"{_format_date(stamps.iloc[row])} with the {order.replace('_', ' ')}"
        for order, stamps in fitting.items()
    )
    found = f"{text.iloc[row]}: {readings}"
    keys = " or ".join(f"`dates: {order}`" for order in fitting)
    fix = f"say which: add {keys} to the files source"
    if len(fitting) == 1:
        fix = f"add {keys} to the files source, the one of the two that fits every cell"
    expected = f"{_ISO_EXPECTED}, or a declaration of the order"
    return ParseFailure(row, found, expected, fix, "ambiguous_dates", len(text))


def _infer_format(text: str, order: DayMonthOrder) -> str | None:
    """The format of `strptime` that a date has; None where it begins otherwise than asked."""
    shape = _DAY_MONTH_PATTERN.fullmatch(text)
    if shape is None:
        return None
    mark, year = shape["mark"], "%Y" if len(shape["year"]) == 4 else "%y"
    day = mark.join(("%d", "%m", year) if order == "day_first" else ("%m", "%d", year))
    if shape["gap"] is None:
        return day
    hour = "%I" if shape["half"] else "%H"
    seconds = ":%S" if shape["seconds"] else ""
    fraction = ".%f" if shape["fraction"] else ""
    half = (shape["half"] or "")[:-2] + "%p" if shape["half"] else ""
    return f"{day}{shape['gap']}{hour}:%M{seconds}{fraction}{half}"


def _parse_with_format(text: pd.Series, strptime_format: str) -> pd.Series:
    return pd.to_datetime(text, format=strptime_format, utc=True, errors="coerce")


def _require_all_parsed(
    timestamps: pd.Series, text: pd.Series, expected: str
) -> pd.Series | ParseFailure:
    wrong = timestamps.isna().to_numpy()
    if not wrong.any():
        return timestamps
    row = int(wrong.argmax())
    return ParseFailure(row, str(text.iloc[row]), expected, count=int(wrong.sum()))


def _format_date(stamp: pd.Timestamp) -> str:
    return f"{stamp:%Y-%m-%d}"

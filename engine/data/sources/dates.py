"""Dates in text: ISO 8601, or whatever the source declares, and never a guess."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from engine.data.sources.epochs import UNITS
from engine.data.sources.unreadable import SPREADSHEET, Complaint

Order = Literal["day_first", "month_first"]
_ORDERS: tuple[Order, Order] = ("day_first", "month_first")

_ISO = "an ISO 8601 timestamp such as 2020-01-31 or 2020-01-31 23:00"
_DECLARE = "say how dates are written, as in `dates: '%d.%m.%Y %H:%M'`"

_DAY_AND_MONTH = re.compile(
    r"\d{1,2}(?P<mark>[/.-])\d{1,2}(?P=mark)(?P<year>\d{4}|\d{2})"
    r"(?:(?P<gap>[ T])\d{1,2}:\d{2}(?P<seconds>:\d{2}(?P<fraction>\.\d+)?)?"
    r"(?P<half> ?[AaPp][Mm])?)?"
)


def declares_text(dates: str | None) -> bool:
    """Whether dates are written so that even `01022020` must not be taken for a number."""
    return dates is not None and (dates in _ORDERS or "%" in dates)


def read_dates(cells: pd.Series, dates: str | None) -> pd.Series | Complaint:
    """Text as instants, naive text as if it were UTC; or the first cell that cannot be read.

    Args:
        cells: Text; an empty cell cannot be read.
        dates: `iso`, `day_first`, `month_first`, a format of `strptime`, or None for ISO with
            every other reading told. Text that begins with the year is ISO under all but a
            format. Text is no number since 1970, whatever the unit.
    """
    text = cells.astype("str").str.strip()
    if dates is not None and "%" in dates:
        return _checked(_parsed(text, dates), text, f"a date written {dates}")
    if dates in _ORDERS and len(text) and not _begins_with_year(text.iloc[0]):
        return _in_order(text, _ORDERS[_ORDERS.index(dates)])
    if dates in UNITS and len(text):
        return Complaint(0, str(text.iloc[0]), f"{dates} since 1970", "correct `dates`")
    stamps = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    wrong = stamps.isna()
    if dates is None and len(text) and bool(wrong.all()):
        return _told(text)
    return _checked(stamps, text, _ISO)


def _begins_with_year(text: object) -> bool:
    return re.match(r"\d{4}(\D|\d{4}(\D|$))", str(text)) is not None


def _in_order(text: pd.Series, order: Order) -> pd.Series | Complaint:
    """Dates of the shape that the first of them has."""
    shape = _format(str(text.iloc[0]), order)
    words = order.replace("_", " ")
    if shape is None:
        expected = f"a date with the {words}, such as 1/2/2020, 01.02.20 or 01-02-2020 23:00"
        return Complaint(0, str(text.iloc[0]), expected, _DECLARE)
    return _checked(_parsed(text, shape), text, f"a date with the {words}, as in the first row")


def _told(text: pd.Series) -> Complaint:
    """Every reading of a column of which no cell is ISO."""
    first = str(text.iloc[0])
    shapes = {order: _format(first, order) for order in _ORDERS}
    read = {order: _parsed(text, shape) for order, shape in shapes.items() if shape}
    fitting = {order: stamps for order, stamps in read.items() if not stamps.isna().any()}
    if not fitting:
        return Complaint(0, first, _ISO, f"{_DECLARE}; or {SPREADSHEET}")
    row = 0
    if len(fitting) > 1:
        day, month = fitting.values()
        row = int((day != month).to_numpy().argmax())
    readings = ", ".join(
        f"{_short(stamps.iloc[row])} with the {order.replace('_', ' ')}"
        for order, stamps in fitting.items()
    )
    found = f"{text.iloc[row]}: {readings}"
    keys = " or ".join(f"`dates: {order}`" for order in fitting)
    fix = f"say which: add {keys} to the files source"
    if len(fitting) == 1:
        fix = f"add {keys} to the files source, the one of the two that fits every cell"
    expected = f"{_ISO}, or a declaration of the order"
    return Complaint(row, found, expected, fix, "ambiguous_dates", len(text))


def _format(text: str, order: Order) -> str | None:
    """The format of `strptime` that a date has; None where it begins otherwise than asked."""
    shape = _DAY_AND_MONTH.fullmatch(text)
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


def _parsed(text: pd.Series, shape: str) -> pd.Series:
    return pd.to_datetime(text, format=shape, utc=True, errors="coerce")


def _checked(stamps: pd.Series, text: pd.Series, expected: str) -> pd.Series | Complaint:
    wrong = stamps.isna().to_numpy()
    if not wrong.any():
        return stamps
    row = int(wrong.argmax())
    return Complaint(row, str(text.iloc[row]), expected, count=int(wrong.sum()))


def _short(stamp: pd.Timestamp) -> str:
    return f"{stamp:%Y-%m-%d}"

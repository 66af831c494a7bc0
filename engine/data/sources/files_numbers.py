"""Numbers as files write them, with a decimal comma or groups of digits where that is said."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.sources.unreadable import Complaint

if TYPE_CHECKING:
    from engine.data.spec import FilesSource

# A space between groups of digits may be one that does not break, or a narrow one.
_SPACES = "[ \u00a0\u202f]"

_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MANY_POINTS = re.compile(r"[+-]?\d+(\.\d+){2,}")
_GROUPED_BY_SPACE = re.compile(rf"[+-]?\d{{1,3}}({_SPACES}\d{{3}})+([.,]\d+)?")

_REWRITTEN = (
    "download the file again, and do not pass it through a spreadsheet; if points group digits "
    "in every number, add `decimal: ','` and `thousands: '.'` to the files source"
)


def declares_notation(spec: FilesSource) -> bool:
    """Whether numbers are written otherwise than `1234.5`."""
    return spec.decimal != "." or spec.thousands != ""


def read_numbers(cells: pd.Series, spec: FilesSource) -> pd.Series | Complaint:
    """The cells as float64, or the first that is no number; an empty one is NaN.

    Nothing but `1234.5` and `1.2345e3` is a number unless the source says `decimal` or
    `thousands`. With `thousands` the groups must be of three digits.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    numbers = pd.to_numeric(_plain(cells, spec), errors="coerce")
    wrong = (numbers.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        complaint = _explain(row, str(cells.iloc[row]), str(cells.name), spec)
        return replace(complaint, count=int(wrong.sum()))
    return numbers.astype("float64")


def _plain(cells: pd.Series, spec: FilesSource) -> pd.Series:
    """The cells written as `1234.5`; those that break what is declared are missing."""
    if not declares_notation(spec):
        return cells
    point = re.escape(spec.decimal)
    groups = ""
    if spec.thousands:
        groups = f"|[0-9]{{1,3}}(?:{_group(spec.thousands)}[0-9]{{3}})+"
    digits = rf"[+-]?(?:[0-9]+{groups})(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    text = cells.astype("str").str.strip()
    plain = text.where(text.str.fullmatch(digits).fillna(value=False))
    if spec.thousands:
        plain = plain.str.replace(_group(spec.thousands), "", regex=True)
    return plain.str.replace(spec.decimal, ".", regex=False)


def _group(thousands: str) -> str:
    return _SPACES if thousands == " " else re.escape(thousands)


def _explain(row: int, text: str, name: str, spec: FilesSource) -> Complaint:
    """What the cell may have meant, and the declaration that would say so."""
    expected = f"a number for {name}"
    if declares_notation(spec):
        groups = f" and `thousands: {spec.thousands!r}`" if spec.thousands else ""
        expected += f", written with `decimal: {spec.decimal!r}`{groups}"
        return Complaint(row, text, expected)
    expected += " such as 1234.5"
    if _MANY_POINTS.fullmatch(text):
        found = f"{text}: the decimal point is lost among points that group digits"
        return Complaint(row, found, expected, _REWRITTEN, "damaged_numbers")
    if _GROUPED_BY_COMMA.fullmatch(text) and text.count(",") == 1 and "." not in text:
        grouped, decimal = text.replace(",", ""), text.replace(",", ".")
        found = f"{text}: {grouped} where the comma groups digits, {decimal} where it is decimal"
        fix = "say which: add `thousands: ','` or `decimal: ','` to the files source"
        return Complaint(row, found, expected, fix, "damaged_numbers")
    keys = _declaration(text)
    if not keys:
        return Complaint(row, text, expected)
    fix = f"if that is how the file writes numbers, add {keys} to the files source"
    return Complaint(row, text, expected, fix, "damaged_numbers")


def _declaration(text: str) -> str:
    """The keys of a source that make this a number; none where none do."""
    if _GROUPED_BY_COMMA.fullmatch(text):
        return "`thousands: ','`"
    if _GROUPED_BY_POINT.fullmatch(text):
        return "`decimal: ','` and `thousands: '.'`"
    if _DECIMAL_COMMA.fullmatch(text):
        return "`decimal: ','`"
    if _GROUPED_BY_SPACE.fullmatch(text):
        return "`decimal: ','` and `thousands: ' '`" if "," in text else "`thousands: ' '`"
    return ""

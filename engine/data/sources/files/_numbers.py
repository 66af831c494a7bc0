"""Numbers as files write them, with a decimal comma or groups of digits where that is said."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.sources.files._parse_failure import ParseFailure

if TYPE_CHECKING:
    from engine.data.config import FilesSourceSpec

# A space between groups of digits may be one that does not break, or a narrow one.
_SPACE_PATTERN = "[ \u00a0\u202f]"

_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MANY_POINTS = re.compile(r"[+-]?\d+(\.\d+){2,}")
_GROUPED_BY_SPACE = re.compile(rf"[+-]?\d{{1,3}}({_SPACE_PATTERN}\d{{3}})+([.,]\d+)?")

_REWRITTEN_FIX = (
    "download the file again, and do not pass it through a spreadsheet; if points group digits "
    "in every number, add `decimal: ','` and `thousands: '.'` to the files source"
)


def declares_number_format(spec: FilesSourceSpec) -> bool:
    """Whether numbers are written otherwise than `1234.5`."""
    return spec.decimal != "." or spec.thousands != ""


def parse_numbers(cells: pd.Series, spec: FilesSourceSpec) -> pd.Series | ParseFailure:
    """The cells as float64, or the first that is no number; an empty one is NaN.

    Nothing but `1234.5` and `1.2345e3` is a number unless the source says `decimal` or
    `thousands`. With `thousands` the groups must be of three digits.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    numbers = pd.to_numeric(_to_plain_notation(cells, spec), errors="coerce")
    wrong = (numbers.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        complaint = _explain_failure(row, str(cells.iloc[row]), str(cells.name), spec)
        return replace(complaint, count=int(wrong.sum()))
    return numbers.astype("float64")


def _to_plain_notation(cells: pd.Series, spec: FilesSourceSpec) -> pd.Series:
    """The cells written as `1234.5`; those that break what is declared are missing."""
    if not declares_number_format(spec):
        return cells
    point = re.escape(spec.decimal)
    groups = ""
    if spec.thousands:
        groups = f"|[0-9]{{1,3}}(?:{_separator_pattern(spec.thousands)}[0-9]{{3}})+"
    digits = rf"[+-]?(?:[0-9]+{groups})(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    text = cells.astype("str").str.strip()
    plain = text.where(text.str.fullmatch(digits).fillna(value=False))
    if spec.thousands:
        plain = plain.str.replace(_separator_pattern(spec.thousands), "", regex=True)
    return plain.str.replace(spec.decimal, ".", regex=False)


def _separator_pattern(thousands: str) -> str:
    return _SPACE_PATTERN if thousands == " " else re.escape(thousands)


def _explain_failure(row: int, text: str, name: str, spec: FilesSourceSpec) -> ParseFailure:
    """What the cell may have meant, and the declaration that would say so."""
    expected = f"a number for {name}"
    if declares_number_format(spec):
        groups = f" and `thousands: {spec.thousands!r}`" if spec.thousands else ""
        expected += f", written with `decimal: {spec.decimal!r}`{groups}"
        return ParseFailure(row, text, expected)
    expected += " such as 1234.5"
    if _MANY_POINTS.fullmatch(text):
        found = f"{text}: the decimal point is lost among points that group digits"
        return ParseFailure(row, found, expected, _REWRITTEN_FIX, "damaged_numbers")
    if _GROUPED_BY_COMMA.fullmatch(text) and text.count(",") == 1 and "." not in text:
        grouped, decimal = text.replace(",", ""), text.replace(",", ".")
        found = f"{text}: {grouped} where the comma groups digits, {decimal} where it is decimal"
        fix = "say which: add `thousands: ','` or `decimal: ','` to the files source"
        return ParseFailure(row, found, expected, fix, "damaged_numbers")
    keys = _suggest_declaration(text)
    if not keys:
        return ParseFailure(row, text, expected)
    fix = f"if that is how the file writes numbers, add {keys} to the files source"
    return ParseFailure(row, text, expected, fix, "damaged_numbers")


def _suggest_declaration(text: str) -> str:
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

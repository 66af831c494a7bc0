"""Parses numbers of files, with a decimal comma or digit groups where the source declares it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.sources.files._parse_failure import ParseFailure

if TYPE_CHECKING:
    from engine.data.config import FilesSourceSpec

# A space between digit groups may be a no-break space or a narrow one.
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
    """Whether the source declares another number format than `1234.5`."""
    return spec.decimal != "." or spec.thousands != ""


def parse_numbers(cells: pd.Series, spec: FilesSourceSpec) -> pd.Series | ParseFailure:
    """Parses cells as float64, an empty one as NaN; or returns the first that is not a number.

    Only `1234.5` and `1.2345e3` are numbers unless the source declares `decimal` or `thousands`.
    With `thousands` every group must have three digits.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    numbers = pd.to_numeric(_to_plain_notation(cells, spec), errors="coerce")
    failed = (numbers.isna() & cells.notna()).to_numpy()
    if failed.any():
        row = int(failed.argmax())
        failure = _explain_failure(row, str(cells.iloc[row]), str(cells.name), spec)
        return replace(failure, count=int(failed.sum()))
    return numbers.astype("float64")


def _to_plain_notation(cells: pd.Series, spec: FilesSourceSpec) -> pd.Series:
    """The cells in the form `1234.5`; cells that break the declaration become missing."""
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
    """Lists what the cell may mean, and the declaration that each meaning needs."""
    expected = f"a number for {name}"
    if declares_number_format(spec):
        groups = f" and `thousands: {spec.thousands!r}`" if spec.thousands else ""
        expected += f", written with `decimal: {spec.decimal!r}`{groups}"
        return ParseFailure(row, text, expected)
    expected += " such as 1234.5"
    if _MANY_POINTS.fullmatch(text):
        found = f"{text}: several points, so that the decimal point cannot be identified"
        return ParseFailure(row, found, expected, _REWRITTEN_FIX, "damaged_numbers")
    if _GROUPED_BY_COMMA.fullmatch(text) and text.count(",") == 1 and "." not in text:
        grouped, decimal = text.replace(",", ""), text.replace(",", ".")
        found = f"{text}: {grouped} if the comma groups digits, {decimal} if it is decimal"
        fix = "say which: add `thousands: ','` or `decimal: ','` to the files source"
        return ParseFailure(row, found, expected, fix, "damaged_numbers")
    keys = _suggest_declaration(text)
    if not keys:
        return ParseFailure(row, text, expected)
    fix = f"if the file writes numbers this way, add {keys} to the files source"
    return ParseFailure(row, text, expected, fix, "damaged_numbers")


def _suggest_declaration(text: str) -> str:
    """The keys of a source that make this text a number; empty where none do."""
    if _GROUPED_BY_COMMA.fullmatch(text):
        return "`thousands: ','`"
    if _GROUPED_BY_POINT.fullmatch(text):
        return "`decimal: ','` and `thousands: '.'`"
    if _DECIMAL_COMMA.fullmatch(text):
        return "`decimal: ','`"
    if _GROUPED_BY_SPACE.fullmatch(text):
        return "`decimal: ','` and `thousands: ' '`" if "," in text else "`thousands: ' '`"
    return ""

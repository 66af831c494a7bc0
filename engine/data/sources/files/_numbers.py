"""Parses numbers of files, with a decimal comma or digit groups where the source declares it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engine.data.sources.files._cells import CURRENCY_SIGNS, DASHES, MISSING_TEXTS
from engine.data.sources.files._parse_failure import SPREADSHEET_FIX, ParseFailure
from engine.data.sources.files._shown import quote_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.data.files_config import FilesSourceSpec

# A space between digit groups may be a no-break space or a narrow one.
_SPACE_PATTERN = "[ \u00a0\u202f]"

_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MANY_POINTS = re.compile(r"[+-]?\d+(\.\d+){2,}")
_GROUPED_BY_APOSTROPHE = re.compile(r"[+-]?\d{1,3}('\d{3})+(\.\d+)?")
_GROUPED_BY_SPACE = re.compile(rf"[+-]?\d{{1,3}}({_SPACE_PATTERN}\d{{3}})+([.,]\d+)?")

_PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
_SUFFIX_PATTERN = r"^([+-]?[0-9][0-9.,'\u00a0\u202f ]*?)[ \u00a0]?([KMBTkmbt])$"
_SUFFIX_EXPONENTS = {"K": "e3", "M": "e6", "B": "e9", "T": "e12"}
_CURRENCY_PATTERN = (
    rf"^([+-]?)([{CURRENCY_SIGNS}]?)[ \u00a0]?([+-]?[0-9.][^{CURRENCY_SIGNS}]*?)"
    rf"[ \u00a0]?([{CURRENCY_SIGNS}]?)$"
)

_REWRITTEN_FIX = (
    "download the file again, and do not pass it through a spreadsheet; if points group digits "
    "in every number, add `decimal: ','` and `thousands: '.'` to the files source"
)


def declares_number_format(spec: FilesSourceSpec) -> bool:
    """Whether the source declares another number format than `1234.5`."""
    return spec.decimal != "." or spec.thousands != ""


@dataclass(frozen=True)
class ParsedNumbers:
    """Numbers parsed from a column.

    Attributes:
        values: float64, each the one nearest to the cell's text, as Python's `float` gives it.
        notice: How a cell with a unit or a sign was read; empty where all are plain.
    """

    values: pd.Series
    notice: str = ""


def parse_numbers(
    cells: pd.Series, spec: FilesSourceSpec, column: str
) -> ParsedNumbers | ParseFailure:
    """Parses cells, an empty one and a dash as NaN; or returns the first that is not a number.

    Only `1234.5` and `1.2345e3` are numbers unless the source declares `decimal` or `thousands`.
    With `thousands` every group must have three digits. A sign of a currency beside a price, and
    K, M, B or T after a volume have one meaning each, and are read with a notice.

    Args:
        cells: Numbers or text.
        spec: The source's `decimal` and `thousands`.
        column: Column of bars.
    """
    if pd.api.types.is_numeric_dtype(cells):
        return ParsedNumbers(cells.astype("float64"))
    text = cells.astype("str").str.strip()
    text = text.mask(text.isin([*MISSING_TEXTS, *DASHES]))
    bare, notice = text, ""
    numbers = to_exact_numbers(_to_plain_notation(text, spec))
    failed = _find_failed(numbers, text)
    if failed.any():
        bare, notice = _strip_units(text, column)
        numbers = to_exact_numbers(_to_plain_notation(bare, spec))
        failed = _find_failed(numbers, text)
    if failed.any():
        row = int(failed.argmax())
        failure = _explain_failure(row, str(cells.iloc[row]), str(bare.iloc[row]), column, spec)
        return replace(failure, count=int(failed.sum()))
    return ParsedNumbers(numbers, notice)


def divide_prices(
    numbers: ParsedNumbers, spec: FilesSourceSpec, column: str
) -> ParsedNumbers | ParseFailure:
    """Prices that are whole numbers of a fraction, divided by the source's `price_divisor`."""
    if spec.price_divisor == 1:
        return numbers
    broken = (numbers.values % 1 != 0) & numbers.values.notna()
    if broken.any():
        row = int(broken.to_numpy().argmax())
        return ParseFailure(
            row,
            str(numbers.values.iloc[row]),
            f"a whole {column}, which is divided by {spec.price_divisor}",
            "add `price_divisor: 1` to the files source: its prices are not whole numbers",
            count=int(broken.sum()),
        )
    values = numbers.values / spec.price_divisor
    return ParsedNumbers(values, f"prices are divided by {spec.price_divisor}")


def to_exact_numbers(text: pd.Series) -> pd.Series:
    """Each text as the nearest float64; NaN where it is no number such as 1234.5 or 1.2345e3."""
    array = pa.array(text.astype("str").str.strip(), type=pa.large_string(), from_pandas=True)
    try:
        numbers = pc.cast(array, pa.float64())
    except pa.ArrowInvalid:
        plain = pc.match_substring_regex(array, _PLAIN_NUMBER)
        numbers = pc.cast(pc.if_else(plain, array, None), pa.float64())
    return pd.Series(numbers.to_numpy(zero_copy_only=False), index=text.index, name=text.name)


def _find_failed(numbers: pd.Series, text: pd.Series) -> npt.NDArray[np.bool_]:
    """Which cells have text that is no number, not even a NaN."""
    failed = (numbers.isna() & text.notna()).to_numpy(dtype=bool)
    if failed.any():
        failed = failed & ~text.str.lower().isin(["nan", "-nan", "+nan"]).to_numpy(dtype=bool)
    return failed


def _strip_units(text: pd.Series, column: str) -> tuple[pd.Series, str]:
    """The cells without currency and suffix of thousands, and a notice about the first."""
    bare, notice = _strip_currency(text, column)
    if column != "volume":
        return bare, notice
    parts = bare.str.extract(_SUFFIX_PATTERN)
    scaled = parts[1].notna()
    if not scaled.any():
        return bare, notice
    exponents = parts[1].str.upper().map(_SUFFIX_EXPONENTS, na_action="ignore").astype("str")
    example = str(text[scaled].iloc[0])
    bare = bare.where(~scaled, parts[0].str.cat(exponents))
    return bare, f"a volume such as {example} is read as {_name_suffix(example)}"


def _strip_currency(text: pd.Series, column: str) -> tuple[pd.Series, str]:
    """The cells without a sign of a currency; unchanged where there are several currencies."""
    parts = text.str.extract(_CURRENCY_PATTERN)
    signs = parts[1].fillna("").str.cat(parts[3].fillna(""))
    signed = signs != ""
    if not signed.any() or signs[signed].nunique() > 1:
        return text, ""
    example = str(text[signed].iloc[0])
    bare = text.where(~signed, parts[0].fillna("").str.cat(parts[2].fillna("")))
    return bare, f"a {column} such as {example} is read without the sign of the currency"


def _name_suffix(example: str) -> str:
    words = {"K": "thousand", "M": "million", "B": "billion", "T": "trillion"}
    return f"{example[:-1].strip()} {words[example[-1].upper()]}"


def _to_plain_notation(text: pd.Series, spec: FilesSourceSpec) -> pd.Series:
    """The cells in the form `1234.5`; cells that break the declaration become missing."""
    if not declares_number_format(spec):
        return text
    point = re.escape(spec.decimal)
    groups = ""
    if spec.thousands:
        groups = f"|[0-9]{{1,3}}(?:{_separator_pattern(spec.thousands)}[0-9]{{3}})+"
    digits = rf"[+-]?(?:[0-9]+{groups})(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    plain = text.where(text.str.fullmatch(digits).fillna(value=False))
    if spec.thousands:
        plain = plain.str.replace(_separator_pattern(spec.thousands), "", regex=True)
    return plain.str.replace(spec.decimal, ".", regex=False)


def _separator_pattern(thousands: str) -> str:
    return _SPACE_PATTERN if thousands == " " else re.escape(thousands)


def _explain_failure(
    row: int, text: str, bare: str, name: str, spec: FilesSourceSpec
) -> ParseFailure:
    """Lists what the cell may mean, and the declaration that each meaning needs.

    Args:
        row: Position of the cell.
        text: As it stands in the file.
        bare: Without a sign of a currency.
        name: Column of bars.
        spec: What the source declares.
    """
    expected = f"a number for {name}"
    if declares_number_format(spec):
        groups = f" and `thousands: {spec.thousands!r}`" if spec.thousands else ""
        expected += f", written with `decimal: {spec.decimal!r}`{groups}"
        return ParseFailure(row, text, expected, _suggest_thousands(bare, spec))
    expected += " such as 1234.5"
    if fix := _explain_other_value(text, name):
        return ParseFailure(row, text, expected, fix)
    found = text
    if _MANY_POINTS.fullmatch(bare):
        found = f"{text}: several points, so that the decimal point cannot be identified"
        fix = _REWRITTEN_FIX
    elif _GROUPED_BY_COMMA.fullmatch(bare) and bare.count(",") == 1 and "." not in bare:
        grouped, decimal = bare.replace(",", ""), bare.replace(",", ".")
        found = f"{text}: {grouped} if the comma groups digits, {decimal} if it is decimal"
        fix = "say which: add `thousands: ','` or `decimal: ','` to the files source"
    elif keys := _suggest_declaration(bare):
        fix = f"if the file writes numbers this way, add {keys} to the files source"
    if not fix:
        return ParseFailure(row, text, expected)
    return ParseFailure(row, found, expected, fix, "damaged_numbers")


def _explain_other_value(text: str, name: str) -> str:
    """The fix for a percentage or a rounded price; empty for other text."""
    if text.endswith("%"):
        return f"map another column to {name}: this one holds changes in per cent"
    if re.fullmatch(_SUFFIX_PATTERN, text) and name != "volume":
        return f"map another column to {name}, or download it with all digits: this one is rounded"
    return ""


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
    if _GROUPED_BY_APOSTROPHE.fullmatch(text):
        return '`thousands: "\'"`'
    return ""


def _suggest_thousands(text: str, spec: FilesSourceSpec) -> str:
    """The fix for groups of digits that the declared decimal mark allows, or for other text."""
    for mark in (",", ".", " ", "'"):
        if mark in (spec.decimal, spec.thousands):
            continue
        other = spec.model_copy(update={"thousands": mark})
        plain = _to_plain_notation(pd.Series([text], dtype="str"), other)
        if plain.notna().all():
            return f"add `thousands: {quote_name(mark)}` to the files source"
    return SPREADSHEET_FIX

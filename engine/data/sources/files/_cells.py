"""What a cell of text looks like: a number in any notation, a time of the day, nothing."""

from __future__ import annotations

import re

MISSING_TEXTS = (
    *(
        "",
        " ",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
    ),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Cells that hold nothing."""

DASHES = frozenset({"-", "--", "\u2013", "\u2014", "\u2212"})
"""Cells with which a web page shows that there is nothing."""

CURRENCY_SIGNS = "$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bf"

# In any notation: with a sign of a currency, groups of digits, a suffix of thousands or millions.
NUMBER_PATTERN = re.compile(
    rf"[+-]?[{CURRENCY_SIGNS}]?[+-]?\.?\d[\d.,'\u2019 \u00a0\u202f]*(?:[eE][+-]?\d+)?"
    rf"[ \u00a0]?[KMBTkmbt%{CURRENCY_SIGNS}]?"
)
_TIME_PATTERN = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")
DATE_PATTERN = re.compile(
    r"\d{4}\D\d{1,2}\D\d{1,2}(\D.*)?|\d{1,2}\D\d{1,2}\D\d{2,4}(\D.*)?|(19|20)\d{6}(\D.*)?"
    r"|[1-9]\d{8,18}(\.\d+)?"
    r"|(\w{3,9},? )?\w{3,9} \d{1,2},? \d{4}.*|\d{1,2}[ -]\w{3,9}[ -]\d{2,4}.*"
)


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number in some notation, declared or not."""
    return NUMBER_PATTERN.fullmatch(cell.strip()) is not None


def looks_like_time(cell: str) -> bool:
    """Whether a cell is a time of the day, such as 09:30 or 09:30:00."""
    return _TIME_PATTERN.fullmatch(cell.strip()) is not None


def looks_like_date(cell: str) -> bool:
    """Whether a cell may begin with a date, or be a number since 1970 of recent decades."""
    return DATE_PATTERN.fullmatch(cell.strip()) is not None


def is_missing(cell: str) -> bool:
    """Whether a cell holds nothing."""
    return cell.strip() in MISSING_TEXTS

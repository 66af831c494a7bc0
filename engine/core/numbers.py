"""Numbers in text: one rule for options, YAML and names of runs.

A number has the digits 0 to 9, a sign, a decimal point and an exponent; one underscore between two
digits groups them, as in `1_000`. Python's `int` and `float` take more than that: digits of other
scripts, `inf` and `nan`, and a text of any length.
"""

from __future__ import annotations

import math
import re
import unicodedata

from engine.core.limits import MAX_NUMBER_CHARACTERS

_GROUPING = re.compile(r"(?<=[0-9])_(?=[0-9])")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def parse_whole_number(text: str) -> int:
    """The whole number of a text such as `40` or `-3`, white space around it left out.

    Raises:
        ValueError: The text is another, or has more than `MAX_NUMBER_CHARACTERS` characters.
    """
    bare = _without_grouping(text)
    if len(bare) > MAX_NUMBER_CHARACTERS or not _WHOLE.fullmatch(bare):
        raise ValueError(f"not a whole number in the digits 0 to 9: {bare[:40]}")
    return int(bare)


def parse_number(text: str) -> float:
    """The number of a text such as `1.5` or `2e-3`, white space around it left out.

    Raises:
        ValueError: The text is another, has more than `MAX_NUMBER_CHARACTERS` characters, or
            exceeds the range of a float64.
    """
    bare = _without_grouping(text)
    if len(bare) > MAX_NUMBER_CHARACTERS or not _DECIMAL.fullmatch(bare):
        raise ValueError(f"not a number in the digits 0 to 9: {bare[:40]}")
    value = float(bare)
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {bare[:40]}")
    return value


def groups_digits(text: str) -> bool:
    """Whether every underscore of a number groups digits."""
    return "_" not in _GROUPING.sub("", text)


def suggest_number(text: str) -> str:
    """The number that a text may mean: `12` for full-width digits, `1000` for `1__000`.

    Returns:
        The number in the digits 0 to 9; empty where the text is one already, or means none.
    """
    if len(text) > MAX_NUMBER_CHARACTERS:
        return ""
    plain = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text.strip()
        if character != "_"
    )
    return plain if plain != text.strip() and _DECIMAL.fullmatch(plain) else ""


def _without_grouping(text: str) -> str:
    return _GROUPING.sub("", text.strip())

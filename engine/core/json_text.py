"""Reads JSON of any origin: bounded in depth, and with numbers that can be computed with."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, TypeAlias

from engine.core.limits import MAX_DOCUMENT_DEPTH, MAX_WHOLE_NUMBER

Json: TypeAlias = Any
"""Any value of JSON: None, a boolean, a number, a text, a list or a mapping by text."""


def parse_json(text: str, max_depth: int = MAX_DOCUMENT_DEPTH) -> Json:
    """The value of a JSON text.

    Python's reader takes `NaN`, `Infinity` and whole numbers of any length, makes infinity of
    `1e999`, and raises a RecursionError where lists are nested too deeply.

    Args:
        text: The document.
        max_depth: Levels of lists and objects.

    Raises:
        ValueError: The text is not JSON, is nested more deeply, or has a number that is not
            finite or a whole number of more than 64 bits; in one line.
    """
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_to_float, parse_int=_to_whole_number
        )
    except RecursionError:
        raise ValueError(f"more than {max_depth} levels of nesting") from None
    if _is_deeper(value, max_depth):
        raise ValueError(f"more than {max_depth} levels of nesting")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _to_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is not within the range of a number")
    return value


def _to_whole_number(text: str) -> int:
    if len(text) > len(str(-MAX_WHOLE_NUMBER)) or abs(int(text)) > MAX_WHOLE_NUMBER:
        raise ValueError(f"{text[:40]} is not within the range of a whole number")
    return int(text)


def _is_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects are nested in more than so many levels."""
    containers = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not containers:
            return False
        containers = [
            child
            for each in containers
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
    return bool(containers)

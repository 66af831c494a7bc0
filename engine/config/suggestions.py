"""Suggests the known word that is closest to a misspelt one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the closest known word; empty where none is similar."""
    match = closest_match(word, known)
    return f"did you mean `{match}`?" if match else ""


def closest_match(word: str, known: Iterable[str]) -> str:
    """The known word most similar to `word`, ignoring case; empty where none is similar."""
    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[matches[0]] if matches else ""

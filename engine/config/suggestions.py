"""The known word that a misspelt one probably means."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the closest known word; empty where none is close."""
    meant = closest_match(word, known)
    return f"did you mean `{meant}`?" if meant else ""


def closest_match(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, capitals aside; empty where none is like it."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""

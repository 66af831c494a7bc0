"""What a terminal must never get from data, as the terminal sees it and not as the engine does."""

from __future__ import annotations

import re
import unicodedata

HOSTILE = "h\x1b[2J\x1b]0;t\x07\x9b31m\r\x7f\u202eq\u2066\u200b\u2028\U000e0041e"
"""Clears the screen, sets the title, turns red, returns to the start of the line, and reverses."""

_SGR = re.compile(r"\x1b\[[0-9;]*m")


def find_controls(text: str) -> list[str]:
    """The control characters of a text, but for line breaks, tabs and colours."""
    emoji = re.sub("(?<=[^\x00-\u2100])\u200d(?=[^\x00-\u2100])", "", _SGR.sub("", text))
    return [
        ascii(character)
        for character in emoji
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and character not in "\n\t"
    ]

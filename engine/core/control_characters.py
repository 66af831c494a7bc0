"""Control characters in text that comes from files, arguments and servers, shown as escapes."""

from __future__ import annotations

import re
import unicodedata

_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")
_ESCAPED_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control characters, format characters (among them bidirectional overrides and isolates, and
those without a width), surrogates, and separators of lines and paragraphs."""

_INVISIBLE = set("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that look like nothing."""

_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_JOINER = "\u200d"


def escape_controls(text: str, *, keep: str = "\n\t") -> str:
    r"""The text with every control character as its escape: `\x1b`, `\u202e`, `\U000e0041`.

    Letters, figures, signs and emoji of any script stay as they are. A backslash stays too, so
    that the form of an escape may also stand in the text itself. The escapes are those of YAML
    and Python.

    Args:
        text: Any text.
        keep: Control characters that stay; none for a cell or a line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _NOT_PLAIN.sub(lambda found: _show(found, keep), text)


def is_printable(text: str) -> bool:
    """Whether the text is one line that is shown as it is."""
    return escape_controls(text, keep="") == text


def escape_line(text: str) -> str:
    """The text in one line: line breaks and tabs are escaped too."""
    return escape_controls(text, keep="")


def _show(found: re.Match[str], keep: str) -> str:
    character = found[0]
    if character in keep or not _is_escaped(character):
        return character
    if character == _JOINER and _joins_emoji(found.string, found.start()):
        return character
    code = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def _is_escaped(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) in _ESCAPED_CATEGORIES
        or character in _INVISIBLE
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE  # the other characters that Unicode keeps free
    )


def _joins_emoji(text: str, position: int) -> bool:
    """Whether a joiner stands between two signs, as in the emoji of a family."""
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    return (
        bool(before and after)
        and (before == "\ufe0f" or unicodedata.category(before) in {"So", "Sk"})
        and unicodedata.category(after) == "So"
    )

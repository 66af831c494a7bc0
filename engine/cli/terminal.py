"""The one way to a terminal: every text that the commands print goes through `write_text`.

Names, symbols, paths, cells of files and messages of servers are data: a control character in one
of them would move the cursor, change colours or the title, or reverse the order of the letters
around it. All data is therefore shown with such characters escaped, and only the colours that the
engine asks for with `styled` become codes of the terminal. A mark that no data can hold stands for
a colour until then.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, TextIO

import typer

from engine.core.control_characters import escape_controls, escape_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.json_text import Json

GOOD, POOR, BAD, NAME = "green", "yellow", "red", "cyan"
"""Colours of what is good, of what is not quite, of what is wrong, and of names."""

_CODES = {
    "": 0,
    "bold": 1,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "cyan": 36,
}
_SECRET = os.urandom(8).hex()
_MARK = re.compile(f"\ufdd0{_SECRET}([a-z_]*)\ufdd1")


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: two for a wide letter, none for an accent."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def pad(text: str, width: int) -> str:
    """The text in one line, filled up with spaces to a width in columns of a terminal."""
    shown = escape_line(text)
    return shown + " " * (width - display_width(shown))


def padded_width(texts: Iterable[str]) -> int:
    """The width to which `pad` has to fill up these texts, so that they are aligned."""
    return max((display_width(escape_line(text)) for text in texts), default=0)


def styled(text: str, *styles: str | None) -> str:
    """The text with marks for colours and `bold`; `write_text` makes codes of them."""
    names = [style for style in styles if style]
    if not names:
        return text
    return f"{''.join(map(_mark, names))}{text}{_mark('')}"


def _mark(style: str) -> str:
    if style not in _CODES:
        raise ValueError(f"expected one of {', '.join(_CODES)}, found {style}")
    return f"\ufdd0{_SECRET}{style}\ufdd1"


def strip_styles(text: str) -> str:
    """The text without marks."""
    return _MARK.sub("", text)


def wants_colours(stream: TextIO) -> bool:
    """Whether text on this stream is coloured.

    A non-empty NO_COLOR turns colours off, else a non-empty FORCE_COLOR turns them on, else they
    are on for a terminal unless TERM is `dumb`.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def write_text(stream: TextIO, text: str, *, nl: bool = True) -> None:
    """Writes a text on a stream, with control characters escaped and marks as colours."""
    coloured = wants_colours(stream)
    parts = _MARK.split(text)  # text, style, text, style, ..., text
    shown = [escape_controls(part) for part in parts[::2]]
    codes = [f"\x1b[{_CODES[style]}m" if coloured else "" for style in parts[1::2]]
    pieces = [shown[0]]
    for code, part in zip(codes, shown[1:], strict=True):
        pieces += [code, part]
    typer.echo("".join(pieces), file=stream, nl=nl, color=True)


def print_text(text: str, *, nl: bool = True) -> None:
    """Prints a text of one or more lines on stdout."""
    write_text(sys.stdout, text, nl=nl)


def print_lines(lines: Iterable[object]) -> None:
    """Prints lines on stdout; a line break inside of one is escaped."""
    print_text("\n".join(_escape_between_marks(str(line)) for line in lines))


def _escape_between_marks(line: str) -> str:
    parts = _MARK.split(line)
    parts[::2] = map(escape_line, parts[::2])
    return "".join(part if index % 2 == 0 else _mark(part) for index, part in enumerate(parts))


def print_json(document: Json, indent: int | None = 2) -> None:
    """Prints one JSON value on stdout, in ASCII: data is whole, and no character is a control."""
    print_text(json.dumps(document, indent=indent, allow_nan=False))


def print_notice(text: str, *, nl: bool = True) -> None:
    """Prints a text that is no error on stderr."""
    write_text(sys.stderr, text, nl=nl)


def ask(question: str) -> bool:
    """Asks on the terminal whether to go on; no where there is no terminal, or no `y`."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print_notice(f"{question} [y/N] ", nl=False)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def escape_warnings() -> None:
    """Warnings of Python and of libraries, which may quote data, go through `write_text` too."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        write_text(file or sys.stderr, text, nl=False)

    warnings.showwarning = show

"""The files of a symbol: one, or several whose names a pattern describes."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SYMBOL, _DATE, _ANY = "{symbol}", "{date}", "*"


@dataclass(frozen=True)
class SymbolFile:
    """A file of a symbol.

    Attributes:
        path: The file.
        day: The date in its name, where the pattern has `{date}`.
    """

    path: Path
    day: date | None = None


def names_several(pattern: str) -> bool:
    """Whether a pattern may name several files of a symbol."""
    return _ANY in pattern or _DATE in pattern


def find_files(folder: Path, pattern: str, ticker: str) -> list[SymbolFile]:
    """The files of a symbol, in the order of their names.

    Args:
        folder: Where the pattern begins.
        pattern: With `{symbol}`, `{date}` (YYYYMMDD) and `*` (any text within a name).
        ticker: The text in place of `{symbol}`.
    """
    if not names_several(pattern):
        path = folder / pattern.replace(_SYMBOL, ticker)
        return [SymbolFile(path)] if path.is_file() else []
    expression = _to_expression(pattern, ticker)
    found = []
    for path in folder.glob(_to_glob(pattern, ticker)):
        match = expression.fullmatch(path.relative_to(folder).as_posix())
        if match is None or not path.is_file():
            continue
        day = _parse_day(match.groupdict().get("date"))
        if day is not None or _DATE not in pattern:
            found.append(SymbolFile(path, day))
    return sorted(found, key=lambda file: (file.path.parent, file.day or date.min, file.path.name))


def _to_glob(pattern: str, ticker: str) -> str:
    parts = re.split(r"(\{symbol\}|\{date\}|\*)", pattern)
    replaced = {_SYMBOL: glob.escape(ticker), _DATE: _ANY, _ANY: _ANY}
    return "".join(replaced.get(part, glob.escape(part)) for part in parts)


def _to_expression(pattern: str, ticker: str) -> re.Pattern[str]:
    """The same as a regular expression; a second `{date}` repeats the first."""
    written, seen = "", False
    for part in re.split(r"(\{symbol\}|\{date\}|\*)", pattern):
        if part == _DATE:
            written += r"(?P=date)" if seen else r"(?P<date>\d{8})"
            seen = True
        else:
            written += {_SYMBOL: re.escape(ticker), _ANY: "[^/]*"}.get(part, re.escape(part))
    return re.compile(written)


def _parse_day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - only its date is used
    except ValueError:
        return None

"""Recognises the form of a file by its first lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.data.sources.files.formats._head import FileHead
    from engine.data.sources.files.formats._model import FileFormat, FileShape


@dataclass(frozen=True)
class FormatMatch:
    """A form that a file has.

    Attributes:
        file_format: The form.
        shape: The first of its shapes that fits.
        keys: Keys of a files source that read the file, the names of its columns filled in.
        by_name: Whether the name of the file fits too.
    """

    file_format: FileFormat
    shape: FileShape
    keys: dict[str, object]
    by_name: bool


def match_format(file_format: FileFormat, head: FileHead) -> FormatMatch | None:
    """The first shape of one form that the file has; None where it has none.

    A source that names the form has said what a file's name or order would tell otherwise.
    """
    matches = (_match_shape(file_format, shape, head) for shape in file_format.shapes)
    return next((match for match in matches if match is not None), None)


def find_formats(formats: Iterable[FileFormat], head: FileHead) -> list[FormatMatch]:
    """The forms that a file has by its content; the one whose file name fits too goes before.

    Forms whose reading is the same stay side by side.
    """
    found = []
    for file_format in formats:
        matches = (
            _match_shape(file_format, shape, head)
            for shape in file_format.shapes
            if _is_recognisable(shape, head)
        )
        match = next((match for match in matches if match is not None), None)
        if match is not None:
            found.append(match)
    named = [match for match in found if match.by_name]
    return named or found


def _is_recognisable(shape: FileShape, head: FileHead) -> bool:
    if shape.needs_file_name and not _name_fits(shape, head):
        return False
    return not shape.newest_first or _begins_with_newest(head)


def _name_fits(shape: FileShape, head: FileHead) -> bool:
    return bool(shape.file_name) and bool(re.search(shape.file_name, head.name, re.IGNORECASE))


def _begins_with_newest(head: FileHead) -> bool:
    """Whether the first cell, a text that sorts like a time, falls from bar to bar."""
    first = [line.partition(";")[0] for line in head.lines[1:]]
    return len(first) > 1 and all(later > earlier for later, earlier in pairwise(first))


def _match_shape(file_format: FileFormat, shape: FileShape, head: FileHead) -> FormatMatch | None:
    if shape.kind != head.kind:
        return None
    groups = _match_json(shape, head) if head.kind == "json" else _match_lines(shape, head)
    if groups is None:
        return None
    keys = _fill_in(shape.keys, groups[0])
    if groups[1]:
        keys["skip"] = groups[1]
    return FormatMatch(file_format, shape, keys, _name_fits(shape, head))


def _match_json(shape: FileShape, head: FileHead) -> tuple[dict[str, str], int] | None:
    match = _compile(shape.row).match(head.lines[0]) if head.lines else None
    return None if match is None else (match.groupdict(), 0)


def _match_lines(shape: FileShape, head: FileHead) -> tuple[dict[str, str], int] | None:
    """The named groups of the header and of the first bar, and the number of lines before."""
    lines = head.lines
    skipped = 0
    if shape.lead and lines and _compile(shape.lead).fullmatch(lines[0]):
        skipped, lines = 1, lines[1:]
    groups: dict[str, str] = {}
    if shape.header:
        found = _match_header(shape.header, lines)
        if found is None:
            return None
        groups, lines = found, lines[1:]
    rows = [_compile(shape.row).fullmatch(line) for line in lines]
    if not rows or not all(rows):
        return None
    first = rows[0].groupdict() if rows[0] else {}
    return {**groups, **first}, skipped


def _match_header(header: str, lines: tuple[str, ...]) -> dict[str, str] | None:
    text = "\n".join(lines[: 2 if r"\n(" in header else 1])
    match = _compile(header).fullmatch(text)
    return None if match is None else match.groupdict()


def _fill_in(keys: Mapping[str, object], groups: Mapping[str, str]) -> dict[str, object]:
    return {key: _fill_in_value(value, groups) for key, value in keys.items()}


def _fill_in_value(value: object, groups: Mapping[str, str]) -> object:
    """Texts with the named groups in place; `{symbol}` and other names stay."""
    if isinstance(value, dict):
        return _fill_in(value, groups)
    if isinstance(value, tuple):
        return tuple(_fill_in_value(item, groups) for item in value)
    if not isinstance(value, str):
        return value
    for name, text in groups.items():
        value = value.replace(f"{{{name}}}", text or "")
    return value


@lru_cache(maxsize=1024)
def _compile(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)

"""Finds the names of the columns in a text file, and the line at which its bars begin."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core import limits
from engine.core.errors import InvalidBarsError
from engine.data.sources.files._cells import looks_like_date, looks_like_number
from engine.data.sources.files._column_names import UNNAMED, is_known_name
from engine.data.sources.files._columns import has_all_columns
from engine.data.sources.files._content import unreadable_table
from engine.data.sources.files._levels import flatten_levels
from engine.data.sources.files._order import suggest_names
from engine.data.sources.files._shown import list_names, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.files_config import FilesSourceSpec
    from engine.data.sources.files._content import FileContent

SEPARATORS = (",", ";", "\t", "|")
LINE_END = re.compile(r"\r\n|\n|\r")

_EMPTY_FIX = "save or download the file again"

_MAX_LINES_BEFORE = 30
"""A header is among the first lines with text."""

_SAMPLE_LINES = 100
_MIN_BAR_NUMBERS = 4


@dataclass(frozen=True)
class HeadLine:
    """A line of a file that is not blank.

    Attributes:
        number: Its number in the file, from 1.
        text: As it stands in the file.
        cells: Its cells without the spaces around them.
    """

    number: int
    text: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class TextLayout:
    """How a text file is divided into columns.

    Attributes:
        separator: Between the cells of a line.
        names: The columns, in order; all different.
        skipped: Number of lines before the first bar.
        sample: The cells of the first lines after them.
        notices: What a reader may not expect.
        used_where: Keys of the source's `where` that chose columns.
    """

    separator: str
    names: tuple[str, ...]
    skipped: int
    sample: tuple[tuple[str, ...], ...]
    notices: tuple[str, ...] = ()
    used_where: frozenset[str] = frozenset()


def find_layout(content: FileContent, spec: FilesSourceSpec, ticker: str) -> TextLayout:
    """Finds separator and names of the columns.

    Args:
        content: A text file.
        spec: The source: its `header`, `skip` and mapping of columns.
        ticker: The source's name of the symbol.

    Raises:
        InvalidBarsError: The file is empty, or its first line is neither a header nor left out.
    """
    texts = _head_lines(content, spec.skip)
    _require_few_columns(content, texts)
    numbered = [(number, text) for number, text in texts[spec.skip :] if text.strip()]
    if not numbered:
        found = "an empty file" if not spec.skip else f"no line after the first {spec.skip}"
        fix = "correct `skip` of the files source" if spec.skip else _EMPTY_FIX
        raise unreadable_table(content.path, found, fix)
    layouts = {}
    for separator in sorted(SEPARATORS, key=numbered[-1][1].count, reverse=True):
        layouts[separator] = lines = _Lines(separator, numbered)
        if spec.header is None:
            found_header = _find_complete_header(content, lines, spec, ticker)
            if found_header is not None:
                return found_header
    lines = max((layouts[separator] for separator in SEPARATORS), key=_separator_rank)
    if spec.header is None:
        return _read_first_line_as_header(content, lines, spec)
    return _layout_of_declared_names(content, lines, spec)


def _require_few_columns(content: FileContent, lines: Sequence[tuple[int, str]]) -> None:
    if len(lines) == 1 and not content.is_whole:
        found, where = f"no line end in the first {len(content.head):,} bytes", "line 1"
    else:
        most, number = max(
            (max(map(text.count, SEPARATORS), default=0) + 1, number) for number, text in lines
        )
        if most <= limits.MAX_BAR_FILE_COLUMNS:
            return
        found, where = f"{most:,} cells", f"line {number}"
    raise InvalidBarsError(
        "this file has too many columns",
        expected=f"at most {limits.MAX_BAR_FILE_COLUMNS:,} columns",
        found=found,
        where=f"{content.path}, {where}",
        fix="divide it into files of fewer symbols, or save the bars one a line",
    )


class _Lines:
    """The first lines of a file, divided at one separator."""

    def __init__(self, separator: str, numbered: Sequence[tuple[int, str]]) -> None:
        self.separator = separator
        self.lines = [
            HeadLine(number, text, _split(text, separator))
            for number, text in numbered[:_SAMPLE_LINES]
        ]
        counts = Counter(len(line.cells) for line in self.lines[1:] or self.lines)
        self.usual_count = counts.most_common(1)[0][0]

    def layout(
        self,
        names: Sequence[str],
        rows: Sequence[HeadLine],
        skipped: int,
        notices: tuple[str, ...] = (),
        used_where: frozenset[str] = frozenset(),
    ) -> TextLayout:
        sample = tuple(row.cells for row in rows)
        unique = tuple(_make_unique(names))
        return TextLayout(self.separator, unique, skipped, sample, notices, used_where)


def _head_lines(content: FileContent, skip: int) -> list[tuple[int, str]]:
    count = skip + _MAX_LINES_BEFORE + _SAMPLE_LINES
    lines = LINE_END.split(content.head.decode("utf-8", errors="replace"), maxsplit=count)
    if len(lines) > count or (len(lines) > 1 and not content.is_whole):
        lines = lines[:-1]
    return list(enumerate(lines, start=1))


def _split(text: str, separator: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # a cell of more than 131,072 characters
        return (text,)
    return tuple(cell.strip() for cell in cells)


def _separator_rank(lines: _Lines) -> tuple[int, int]:
    """First the columns of most lines, then those of the first line."""
    return lines.usual_count, len(lines.lines[0].cells)


def is_bar(cells: Sequence[str]) -> bool:
    """Whether a line holds the values of a bar, and no names of columns."""
    numbers = sum(looks_like_number(cell) for cell in cells)
    return numbers >= _MIN_BAR_NUMBERS and not _has_names(cells) and not _are_positions(cells)


def _has_names(cells: Sequence[str]) -> bool:
    """Whether several cells are names of columns; a single one may be a ticker such as C."""
    return sum(is_known_name(cell) for cell in cells) > 1


def _are_positions(cells: Sequence[str]) -> bool:
    """Whether names are 0, 1, 2 and so on, as pandas writes those of columns without a name."""
    numbered = [cell for cell in cells if cell]
    return len(cells) - len(numbered) <= 1 and numbered == [str(n) for n in range(len(numbered))]


def _find_complete_header(
    content: FileContent, lines: _Lines, spec: FilesSourceSpec, ticker: str
) -> TextLayout | None:
    """The first line that names every column of bars, where no bar comes before it."""
    rows = lines.lines
    for position, line in enumerate(rows[:_MAX_LINES_BEFORE]):
        if is_bar(line.cells):
            return None
        before = rows[position - 1].number if position else spec.skip
        left_out = _describe_left_out(rows[:position], before - spec.skip)
        two_levels = _read_two_levels(content, rows[position:], spec, ticker)
        if two_levels is not None:
            levels, header_lines, notice, used = two_levels
            body = rows[position + header_lines :]
            skipped = rows[position + header_lines - 1].number
            return lines.layout(levels, body, skipped, (*left_out, notice), used)
        if has_all_columns(name_columns(line.cells), spec):
            names = name_columns(line.cells)
            return lines.layout(names, rows[position + 1 :], line.number, left_out)
    return None


def _describe_left_out(rows: Sequence[HeadLine], count: int) -> tuple[str, ...]:
    if not rows:
        return ()
    lines = "1 line" if count == 1 else f"{count} lines"
    return (f"{lines} before the header left out: {shorten(rows[0].text, 60)}",)


def name_columns(cells: Sequence[str]) -> list[str]:
    """Names of columns; the first one may have none."""
    return [UNNAMED, *cells[1:]] if cells and not cells[0] else list(cells)


def _make_unique(names: Sequence[str]) -> list[str]:
    """The names, those that occur again with a number, as pandas writes them."""
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names):
        plain = name or f"Unnamed: {position}"
        count = seen.get(plain, 0)
        seen[plain] = count + 1
        unique.append(f"{plain}.{count}" if count else plain)
    return unique


def _read_two_levels(
    content: FileContent, rows: Sequence[HeadLine], spec: FilesSourceSpec, ticker: str
) -> tuple[tuple[str, ...], int, str, frozenset[str]] | None:
    """Names from two lines, prices and tickers, and a third one with the name of the index."""
    if len(rows) < 3 or len(rows[0].cells) < 3 or len(rows[0].cells) != len(rows[1].cells):
        return None
    first, second, third = (row.cells for row in rows[:3])
    if "" in (*first[1:], *second[1:]):
        return None
    if looks_like_date(second[0]) or looks_like_date(first[0]):
        return None
    has_index_line = (
        bool(third[0])
        and not looks_like_date(third[0])
        and not any(third[1:])
        and len(third) == len(first)
    )
    levels = (first[0], second[0])
    named = {level.lower() for level in levels} <= {"price", "ticker", "attributes", "symbols", ""}
    prices = max(sum(map(is_known_name, line[1:])) for line in (first, second))
    if 2 * prices < len(first) - 1 or not (has_index_line or (named and is_bar(third))):
        return None
    flat = flatten_levels(
        content.path, list(zip(first[1:], second[1:], strict=True)), levels, ticker, spec.where
    )
    index = third[0] if has_index_line else UNNAMED
    used = frozenset() if flat.where_key is None else frozenset({flat.where_key})
    return (index, *flat.names), 3 if has_index_line else 2, flat.notice, used


def _read_first_line_as_header(
    content: FileContent, lines: _Lines, spec: FilesSourceSpec
) -> TextLayout:
    """The first line as header, though it lacks columns; unless it cannot be one."""
    first, *rest = lines.lines
    if is_bar(first.cells):
        raise _first_line_is_bar_error(content, lines, first, spec)
    if len(first.cells) < lines.usual_count and not any(map(is_known_name, first.cells)):
        raise _no_header_error(content, lines)
    return lines.layout(name_columns(first.cells), rest, first.number)


def _first_line_is_bar_error(
    content: FileContent, lines: _Lines, first: HeadLine, spec: FilesSourceSpec
) -> InvalidBarsError:
    names = suggest_names([row.cells for row in lines.lines])
    which = "the first line" if not spec.skip else f"line {first.number}"
    mapped = {name for names in spec.columns.values() for name in _as_tuple(names)}
    without = ", and take `columns` out" if mapped.intersection(first.cells) else ""
    return InvalidBarsError(
        f"{which} is a bar, not a header",
        expected="a line with the names of the columns, or the key `header`",
        found=shorten(first.text),
        where=f"{content.path}, line {first.number}",
        fix=f"add `header: [{', '.join(names)}]` to the files source{without}; these are the "
        f"names of the {len(first.cells)} columns in order, check them",
    )


def _as_tuple(names: str | tuple[str, str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _no_header_error(content: FileContent, lines: _Lines) -> InvalidBarsError:
    """The error about a title, a comment or an address before the header."""
    start = next(row for row in lines.lines if len(row.cells) == lines.usual_count)
    skip = start.number - 1
    keys = f"`skip: {skip}`"
    if is_bar(start.cells):
        bars = [row.cells for row in lines.lines if len(row.cells) == lines.usual_count]
        keys += f" and `header: [{', '.join(suggest_names(bars))}]`"
    first = lines.lines[0]
    return InvalidBarsError(
        f"line {first.number} is not a header",
        expected=f"the names of {lines.usual_count} columns, as many as the lines below have",
        found=shorten(first.text),
        where=f"{content.path}, line {first.number}",
        fix=f"add {keys} to the files source, which leaves {skip} "
        f"{'line' if skip == 1 else 'lines'} out",
    )


def _layout_of_declared_names(
    content: FileContent, lines: _Lines, spec: FilesSourceSpec
) -> TextLayout:
    first = lines.lines[0]
    if _has_names(first.cells):
        raise InvalidBarsError(
            f"line {first.number} is a header, and `header` says that there is none",
            expected="a bar",
            found=shorten(first.text),
            where=f"{content.path}, line {first.number}",
            fix=f"take `header` out of the files source; or add `skip: {first.number}` to it, "
            "which leaves this line out",
        )
    count = max(lines.usual_count, len(first.cells))
    if spec.header == "none":
        names: Sequence[str] = [str(number) for number in range(1, count + 1)]
    else:
        names = spec.header or ()
        _require_a_name_each(content, first, names)
    return lines.layout(names, lines.lines, first.number - 1)


def _require_a_name_each(content: FileContent, first: HeadLine, names: Sequence[str]) -> None:
    filled = len(first.cells)
    while filled > len(names) and not first.cells[filled - 1]:
        filled -= 1
    if filled == len(names):
        return
    more = [f"column_{number}" for number in range(len(names) + 1, filled + 1)]
    complete = [*names, *more][:filled] if filled > len(names) else list(names)
    raise InvalidBarsError(
        f"`header` names {len(names)} columns, and the first bar has {filled} cells",
        expected="a name for every column, in order",
        found=shorten(first.text),
        where=f"{content.path}, line {first.number}",
        fix=f"write {filled} names: `header: [{', '.join(complete)}]`"
        if more
        else f"write {filled} names; the file has no {list_names(names[filled:])}, or a cell "
        "of this line is missing",
    )

"""What the engine knows of a form of files: who writes it, how it is recognised and read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FileKind = Literal["text", "json", "table"]
"""Lines of cells, a JSON document, or a table with types (Parquet, Feather)."""

NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
"""A cell with a number."""

VALUE = rf"(?:{NUMBER}|null|nan|)"
"""A cell with a number, or an empty one."""

PRICES = ";".join([VALUE] * 4)
"""Four cells with numbers: the prices of a bar, in whatever order."""

ANY_CELLS = r"(?:;[^\n]*)?"
"""Further cells."""

DAY = r"\d{4}-\d\d-\d\d"
"""A date as in 2020-01-31."""

TIME = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
"""A time as in 23:00 or 23:00:00.000."""

OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
"""A UTC offset as in Z, +0100 or -05:00."""


@dataclass(frozen=True)
class FileShape:
    r"""One shape that the files of a form have, with the keys of a files source that read it.

    The expressions ignore case. They are compared with the cells of a line, stripped and joined
    by `;` whatever the separator of the file is.

    Attributes:
        keys: Keys of a files source. `{name}` in a text stands for the group of that name in
            `header` or `row`.
        row: Expression that every one of the first bars matches. Of a JSON document: an
            expression that its beginning matches, without white space between tokens.
        header: Expression that the line of names matches; empty where there is none. With `\n` in
            it, it is compared with the line of names and the first bar together.
        lead: Expression that the line before the header matches, where there is one.
        kind: What kind of file it is.
        file_name: Expression that is searched for in the name of the file. A file whose name fits
            is of this form rather than of another with the same cells.
        needs_file_name: Whether the cells alone do not tell the form: it is recognised by its
            file name, or used where a source names it.
        newest_first: Whether it is recognised only in files that begin with the newest bar.
        zone_unknown: Whether bars within a day have local times of a zone that the form does not
            tell, so that a source must declare `timezone`.
        zone_may_differ: Whether files with local times of another zone than UTC are of this form
            too.
        note: What a user must know about the reading, a clause without a full stop.
    """

    keys: Mapping[str, object]
    row: str
    header: str = ""
    lead: str = ""
    kind: FileKind = "text"
    file_name: str = ""
    needs_file_name: bool = False
    newest_first: bool = False
    zone_unknown: bool = False
    zone_may_differ: bool = False
    note: str = ""


@dataclass(frozen=True)
class FileFormat:
    """A form of files that a program or site writes.

    Attributes:
        name: As in `format: binance`.
        writer: Who writes it.
        zone: The zone of its timestamps.
        label: Which instant of a bar its timestamp is.
        units: The units of prices and volume.
        newest_first: Whether files begin with the newest bar.
        calendar: The calendar of what it holds, where that is always the same.
        shapes: The first that fits is used.
    """

    name: str
    writer: str
    zone: str
    label: str
    units: str
    newest_first: bool = False
    calendar: str = ""
    shapes: tuple[FileShape, ...] = field(default=())

"""The beginning of a file: what its form is recognised by."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

from engine.data.sources.files._content import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.sources.files._content import FileContent
    from engine.data.sources.files.formats._model import FileKind

SEPARATORS = ("\t", ";", ",", "|")

HEAD_LINES = 30
"""Number of lines by which a form is recognised."""

_SPACE_IN_JSON = re.compile(r"(?<=[{\[,:])\s+|\s+(?=[}\],:])")


@dataclass(frozen=True)
class FileHead:
    """The first lines of a file.

    Attributes:
        name: Name of the file.
        kind: What kind of file it is.
        lines: Lines of cells, each cell stripped, joined by `;`; of a table its names and first
            rows, of a JSON document one text without white space between tokens.
    """

    name: str
    kind: FileKind
    lines: tuple[str, ...]


def read_head(content: FileContent) -> FileHead:
    """The head of a file.

    Raises:
        InvalidBarsError: The file is damaged.
    """
    name = content.path.name
    if content.kind in ("parquet", "arrow"):
        with reading(content.path):
            source = pa.BufferReader(content.read())
            schema = (
                parquet.read_schema(source)
                if content.kind == "parquet"
                else ipc.open_file(source).schema
            )
        return head_of_table(name, schema.names)
    text = content.head.decode(errors="replace")
    if content.kind == "text" and not content.is_whole:
        text = text.rpartition("\n")[0]
    return head_of_text(name, text)


def head_of_text(name: str, text: str) -> FileHead:
    """The head of a file of lines, or of a JSON document.

    Args:
        name: Name of the file.
        text: Its beginning; the last line may be cut.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("[", "{"):
        return FileHead(name, "json", (_SPACE_IN_JSON.sub("", start),))
    lines = [line for line in text.splitlines() if line.strip()][:HEAD_LINES]
    separator = detect_separator(lines)
    return FileHead(name, "text", tuple(_join(cells) for cells in split_lines(lines, separator)))


def head_of_table(name: str, columns: Sequence[str]) -> FileHead:
    """The head of a table with types: the names of its columns, and a row that is not shown."""
    return FileHead(name, "table", (_join(columns), ""))


def detect_separator(lines: Sequence[str]) -> str:
    """The separator that splits most lines into the same number of cells, more than one.

    The first line may be a title, so that the last lines decide.
    """
    body = lines[-10:]

    def cells(separator: str) -> tuple[int, int]:
        counts = [len(row) for row in split_lines(body, separator)]
        usual = max(set(counts), key=counts.count) if counts else 1
        return (counts.count(usual) if usual > 1 else 0, usual)

    return max(SEPARATORS, key=cells)


def split_lines(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of lines, without quotes."""
    return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))


def _join(cells: Sequence[str]) -> str:
    return ";".join(str(cell).strip().lstrip("\ufeff") for cell in cells)

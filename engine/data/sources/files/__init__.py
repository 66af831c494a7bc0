"""Bars from files; the meaning of a cell is declared or known, never guessed."""

from engine.data.sources.files._cells import looks_like_date, looks_like_number
from engine.data.sources.files._content import FileContent, open_content, reading
from engine.data.sources.files._file_bars import FileReader
from engine.data.sources.files._numbers import to_exact_numbers
from engine.data.sources.files._parse_failure import ParseFailure
from engine.data.sources.files._source import FilesBarSource
from engine.data.sources.files._timestamps import TimestampFormat, parse_timestamps

__all__ = [
    "FileContent",
    "FileReader",
    "FilesBarSource",
    "ParseFailure",
    "TimestampFormat",
    "looks_like_date",
    "looks_like_number",
    "open_content",
    "parse_timestamps",
    "reading",
    "to_exact_numbers",
]

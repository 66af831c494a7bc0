"""Bars from files; the meaning of a cell is declared or known, never guessed."""

from engine.data.sources.files._content import open_content
from engine.data.sources.files._file_bars import FileReader
from engine.data.sources.files._source import FilesBarSource

__all__ = ["FileReader", "FilesBarSource", "open_content"]

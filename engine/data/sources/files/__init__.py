"""Bars from CSV and Parquet files; the meaning of a cell is declared, never guessed."""

from engine.data.sources.files._source import FilesBarSource

__all__ = ["FilesBarSource"]

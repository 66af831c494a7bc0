"""Reads files of results: one module a format."""

from engine.auditing.readers._content import AuditedFile, open_table
from engine.auditing.readers.close import read_bars, read_close
from engine.auditing.readers.exports import read_export
from engine.auditing.readers.positions import read_positions
from engine.auditing.readers.returns import VALUE_KINDS, ValueKind, read_matrix, read_returns
from engine.auditing.readers.trades import read_trades

__all__ = [
    "VALUE_KINDS",
    "AuditedFile",
    "ValueKind",
    "open_table",
    "read_bars",
    "read_close",
    "read_export",
    "read_matrix",
    "read_positions",
    "read_returns",
    "read_trades",
]

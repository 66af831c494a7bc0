"""Reads files of results: one module a format."""

from engine.auditing.readers._content import AuditedFile, open_table
from engine.auditing.readers.close import read_bars, read_close
from engine.auditing.readers.exports import EXPORT_FORMATS, read_export
from engine.auditing.readers.positions import read_positions
from engine.auditing.readers.returns import VALUE_KINDS, ValueKind, read_matrix, read_returns
from engine.auditing.readers.trades import TRADE_FORMATS, read_trades

__all__ = [
    "EXPORT_FORMATS",
    "TRADE_FORMATS",
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

"""Results that are no tables: JSON of freqtrade and Lean, HTML of MetaTrader."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from engine.auditing.readers import freqtrade, lean, metatrader
from engine.core.errors import UsageError
from engine.core.json_text import parse_json
from engine.core.limits import MAX_DOCUMENT_BYTES
from engine.core.read_file import open_regular, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.auditing.backtest import AuditedBacktest
    from engine.auditing.closed_trades import ClosedTrades

_ZIP, _HEAD = b"PK\x03\x04", 4_096


EXPORT_FORMATS = ("freqtrade", "lean", "metatrader")
"""Formats that are no tables; freqtrade has a table of trades too."""


def read_export(path: Path, format_name: str = "auto") -> AuditedBacktest | ClosedTrades | None:
    """Reads JSON, a zip of it, or HTML; None for a file of another kind.

    Args:
        path: The file.
        format_name: One of `EXPORT_FORMATS`, which it has to be; `auto` to tell it.

    Raises:
        UsageError: It is of that kind and no known result, or not of the format.
    """
    if not path.is_file():
        return None
    with open_regular(path, "a result of a backtest") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        raw = _read_member(path)
        return None if raw is None else _read_json(raw, path, format_name)
    start = _decode(head).lstrip().lower()
    if start.startswith(("<!doctype html", "<html")):
        _require_format(format_name, "metatrader", "a page of HTML", path)
        return metatrader.read(_decode(_read(path)), path)
    return _read_json(_read(path), path, format_name) if start.startswith("{") else None


def _require_format(format_name: str, own: str, found: str, path: Path) -> None:
    if format_name not in {"auto", own}:
        raise UsageError(
            f"this is no result of {format_name}",
            expected=f"a file of {format_name}, as --format says",
            found=f"{found}, as {own} writes it",
            where=str(path),
            fix="leave --format out to have the format told",
        )


def _read(path: Path) -> bytes:
    return read_bytes(path, max_bytes=MAX_DOCUMENT_BYTES, what="a result of a backtest")


def _decode(raw: bytes) -> str:
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return raw.decode(encoding, errors="replace")


def _read_member(path: Path) -> bytes | None:
    """The JSON of a zip that is no configuration; None where there is no single one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                each
                for each in archive.infolist()
                if each.filename.endswith(".json") and not each.filename.endswith("_config.json")
            ]
            if len(names) != 1:
                return None
            with archive.open(names[0]) as member:
                raw = member.read(MAX_DOCUMENT_BYTES + 1)
    except zipfile.BadZipFile as error:
        raise _unknown(path, f"a damaged zip: {error}") from error
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise _unknown(path, f"more than {MAX_DOCUMENT_BYTES:,} bytes of JSON")
    return raw


def _read_json(raw: bytes, path: Path, format_name: str) -> AuditedBacktest | ClosedTrades:
    try:
        document = parse_json(_decode(raw))
    except ValueError as error:
        raise _unknown(path, f"no JSON: {error}") from error
    if freqtrade.recognises(document):
        _require_format(format_name, "freqtrade", "JSON", path)
        return freqtrade.read(document, path)
    if lean.recognises(document):
        _require_format(format_name, "lean", "JSON", path)
        return lean.read(document, path)
    raise _unknown(path, f"JSON with the keys {', '.join(map(str, document))[:300]}")


def _unknown(path: Path, found: str) -> UsageError:
    return UsageError(
        "the format of this result is not known",
        expected="CSV, Parquet, JSON of freqtrade or Lean, or HTML of MetaTrader 5",
        found=found,
        where=str(path),
        fix="write the returns as CSV: a date and a return a line",
    )

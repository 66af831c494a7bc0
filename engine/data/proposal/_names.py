"""Finds the symbols of files in their names, and the pattern that the names have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENDING = re.compile(
    r"(?:\.(?:csv|txt|tsv|prn|json|parquet|pq|feather|arrow|gz|bz2|zip|zst|xz))+$", re.IGNORECASE
)
_EXCHANGE = (
    r"binance(?:us)?|bitstamp|bitfinex|coinbase|gemini|kraken|kucoin|okx|bybit|poloniex|cex"
)
_LEAD = re.compile(
    rf"^(?:DAT_(?:ASCII|MT|NT)_|(?:{_EXCHANGE})[_ -]|intraday_\w+?_|daily_(?:adjusted_)?)",
    re.IGNORECASE,
)
_CHART = re.compile(r"^[A-Z0-9]+_(?P<symbol>[^,]+), ?\w+$")
_CANDLES = re.compile(r"^(?P<symbol>.+?)_Candlestick_", re.IGNORECASE)
_METATRADER = re.compile(r"^(?P<symbol>[A-Z]{6})(?:1|5|15|30|60|240|1440|10080|43200)$")
_SPAN = r"\d+ ?(?:s|m|min|mins|minutes?|h|hr|hours?|d|days?|w|weeks?|mo|months?)|[mhdw]\d*|mn1?"
_DATE = r"\d{4}(?:[-._]?\d\d){1,2}(?:\d{4,6})?|\d{1,2}[._-]\d{1,2}[._-]\d{4}|\d+"
_WORD = (
    r"daily|hourly|weekly|monthly|minutes?|intraday|historical|history|data|prices?|stock|ohlcv?"
    r"|candles?|klines?|bars|bid|ask|spot|futures?|full|adj\w*|unadj\w*|trade|quote"
    rf"|coinmarketcap|firstratedata|{_EXCHANGE}"
)
_TAIL = re.compile(rf"(?:[-_ .,]+(?:{_SPAN}|{_DATE}|{_WORD}))+$", re.IGNORECASE)
_ONLY_DATE = re.compile(rf"^(?:{_DATE})(?:_(?:trade|quote))?$", re.IGNORECASE)


@dataclass(frozen=True)
class NamedFiles:
    """The symbols of files, and the keys of a source that name the files.

    Attributes:
        symbols: In the order of the files, each once.
        folder: Folder of the files.
        pattern: File name with `{symbol}`, and with `{date}` or `*` where a symbol has several.
        names: Dataset symbol to the text in place of `{symbol}`, where they differ.
        origin: Where the symbols were found.
    """

    symbols: tuple[str, ...]
    folder: Path
    pattern: str
    names: dict[str, str] = field(default_factory=dict)
    origin: str = "the name of the file"


def has_data_ending(name: str) -> bool:
    """Whether a file is one of bars by the ending of its name."""
    return _ENDING.search(name) is not None


def find_symbol(name: str) -> str:
    """The symbol in the name of a file; the whole name without its ending where none is found."""
    stem = _ENDING.sub("", name)
    for shape in (_CHART, _CANDLES, _METATRADER):
        match = shape.match(stem)
        if match:
            return match["symbol"]
    bare = _TAIL.sub("", _LEAD.sub("", stem))
    return bare.strip("-_ .,") or stem


def name_files(files: Sequence[Path]) -> NamedFiles:
    """The symbols and the pattern of files; files of one symbol follow each other in time.

    Args:
        files: At least one, all in one folder, or in one folder for each symbol.
    """
    if all(_ONLY_DATE.match(_ENDING.sub("", file.name)) for file in files):
        return _name_by_folder(files)
    by_symbol: dict[str, list[str]] = {}
    for file in files:
        by_symbol.setdefault(find_symbol(file.name), []).append(file.name)
    folder = files[0].parent
    patterns = {
        _common_pattern([name.replace(symbol, "{symbol}", 1) for name in names])
        for symbol, names in by_symbol.items()
    }
    origin = "the name of the file" if len(files) == 1 else "the names of the files"
    if len(patterns) == 1:
        return NamedFiles(tuple(by_symbol), folder, patterns.pop(), origin=origin)
    names = {symbol: _common_pattern(own) for symbol, own in by_symbol.items()}
    return NamedFiles(tuple(by_symbol), folder, "{symbol}", names, origin)


def _name_by_folder(files: Sequence[Path]) -> NamedFiles:
    """Files named by dates alone: each folder is a symbol."""
    symbols = tuple(dict.fromkeys(file.absolute().parent.name for file in files))
    pattern = _common_pattern([file.name for file in files])
    return NamedFiles(
        symbols,
        files[0].absolute().parent.parent,
        f"{{symbol}}/{pattern}",
        origin="the name of the folder",
    )


def _common_pattern(names: Sequence[str]) -> str:
    """One pattern for names that differ in one place: a date of eight digits, or anything."""
    dated = {re.sub(r"(?<!\d)\d{8}(?!\d)", "{date}", name, count=1) for name in names}
    if len(dated) == 1 and "{date}" in next(iter(dated)):
        one = next(iter(dated))
        return one if len(names) > 1 or re.match(r"(?:\{symbol\}/)?\{date\}_", one) else names[0]
    if len(names) == 1:
        return names[0]
    start = _common_start(names)
    end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    return f"{start}*{end}"


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    length = next(
        (n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        len(first),
    )
    return first[:length]

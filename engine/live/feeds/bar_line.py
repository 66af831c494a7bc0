"""A complete bar as a line of JSON."""

from __future__ import annotations

import difflib
import json
import re
from math import nan
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from engine.core import limits
from engine.core.control_characters import escape_line
from engine.core.errors import InvalidBarsError
from engine.data.bars import (
    MAX_PRICE,
    MAX_VOLUME,
    MIN_PRICE,
    RANGE_COLUMNS,
    ROUNDING_TOLERANCE,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic_core import ErrorDetails

    from engine.live.feeds.kept_bars import BarValues

_EXAMPLE = (
    '{"symbol": "BTC-USD", "timestamp": "2026-11-30T12:00:00Z", "open": 100.0, "high": 101.5, '
    '"low": 99.5, "close": 101.0, "volume": 12.5}'
)
_SHOWN = 200
"""Characters of a line or a value that a message shows."""

_EXPECTED = {
    "symbol": "a symbol in quotes",
    "timestamp": "the open of the bar with its offset from UTC, such as 2026-11-30T12:00:00Z",
    "volume": f"a number from 0 to {MAX_VOLUME:g}, without quotes, or no volume",
}
_EXPECTED_PRICE = f"a price from {MIN_PRICE:g} to {MAX_PRICE:g}, without quotes"

_Price = Annotated[float, Field(ge=MIN_PRICE, le=MAX_PRICE)]


class _Line(BaseModel):
    """The keys of a line; `timestamp` is the open of the bar, with its offset from UTC."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    symbol: str
    timestamp: AwareDatetime
    open: _Price | None = None
    high: _Price | None = None
    low: _Price | None = None
    close: _Price
    volume: Annotated[float, Field(ge=0.0, le=MAX_VOLUME)] | None = None


def parse_bar_line(
    line: bytes, number: int, symbols: Collection[str]
) -> tuple[str, pd.Timestamp, BarValues]:
    """The symbol, timestamp and values of a line; what is not given is NaN.

    A line may have no volume, and a close alone: none of open, high and low.

    Args:
        line: The text, UTF-8, at most `MAX_FEED_LINE_BYTES`.
        number: Its number, from 1.
        symbols: The dataset's symbols.

    Raises:
        InvalidBarsError: The line is no bar of one of the symbols.
    """
    if len(line) > limits.MAX_FEED_LINE_BYTES:
        raise bad_line_error(
            number,
            f"at most {limits.MAX_FEED_LINE_BYTES:,} bytes",
            "a longer line",
            "end each bar with a line break",
        )
    try:
        bar = _Line.model_validate_json(line)
    except ValidationError as error:
        raise bad_line_error(number, *_explain(error, line)) from None
    if bar.symbol not in symbols:
        close = difflib.get_close_matches(bar.symbol, symbols, n=1)
        raise bad_line_error(
            number,
            f"a symbol of the dataset: {', '.join(list(symbols)[:20])}",
            f"symbol {_shorten(bar.symbol)}",
            f"did you mean {close[0]}?" if close else "send the dataset's symbols alone",
        )
    _check_range(bar, number)
    stamp = pd.Timestamp(bar.timestamp).tz_convert("UTC").as_unit("us")
    values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    return bar.symbol, stamp, tuple(nan if each is None else each for each in values)


def _check_range(bar: _Line, number: int) -> None:
    """Refuses a bar with some of open, high and low, and prices outside low to high."""
    if bar.open is None or bar.high is None or bar.low is None:
        absent = [name for name in RANGE_COLUMNS if getattr(bar, name) is None]
        if len(absent) == len(RANGE_COLUMNS):
            return
        raise bad_line_error(
            number,
            "the keys open, high and low, or the close alone",
            f"a line without {', '.join(absent)}",
            f"write such a line: {_EXAMPLE}",
        )
    highest, lowest = max(bar.open, bar.close), min(bar.open, bar.close)
    within = bar.low <= bar.high and highest <= bar.high * (1 + ROUNDING_TOLERANCE)
    if not within or lowest < bar.low * (1 - ROUNDING_TOLERANCE):
        raise bad_line_error(
            number,
            "open and close between low and high",
            f"open {bar.open}, high {bar.high}, low {bar.low}, close {bar.close}",
            "correct the values where they come from",
        )


def bad_line_error(number: int, expected: str, found: str, fix: str) -> InvalidBarsError:
    """The error about one line."""
    return InvalidBarsError(
        f"line {number:,} of standard input is no bar",
        expected=expected,
        found=found,
        where=f"standard input, line {number:,}",
        fix=fix,
    )


def _explain(error: ValidationError, line: bytes) -> tuple[str, str, str]:
    """Expected, found and fix of the first mistake, not in the words of the parser."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        text = _shorten(line.decode(errors="replace")) or "an empty line"
        return f"one JSON object, such as {_EXAMPLE}", text, _say_where(first)
    key = _shorten(".".join(map(str, first["loc"])))
    if first["type"] == "missing":
        return f"the key {key}", "a line without it", f"write such a line: {_EXAMPLE}"
    if first["type"] == "extra_forbidden":
        names = list(_Line.model_fields)
        close = difflib.get_close_matches(key, names, n=1)
        fix = f"did you mean {close[0]}?" if close else "leave the key out"
        return f"the keys {', '.join(names)}", f"the key {key}", fix
    found = _shorten(json.dumps(first["input"]))
    return _EXPECTED.get(key, _EXPECTED_PRICE), f"{key}: {found}", f"as in {_EXAMPLE}"


def _say_where(mistake: ErrorDetails) -> str:
    """The fix of a line that is no JSON object: where the parser stopped, if it did."""
    column = re.search(r"column ([1-9]\d*)$", mistake["msg"])
    if column is None:
        return "write each bar as one object on a line of its own"
    return f"it is no JSON from column {column[1]} on: write each bar whole, on a line of its own"


def _shorten(text: str) -> str:
    shown = escape_line(text[:_SHOWN])
    return f"{shown}..." if len(text) > _SHOWN else shown

"""Names of columns on two levels, prices and tickers, as yfinance and pandas write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError
from engine.data.sources.files._column_names import is_known_name
from engine.data.sources.files._shown import list_names, quote_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TICKER = "Ticker"


@dataclass(frozen=True)
class FlatNames:
    """One name for each column.

    Attributes:
        names: In order; the columns of other tickers have their ticker in front.
        notice: Which ticker is read, where that is not the symbol asked for.
        where_key: The key of `where` that chose the ticker; None where it was not needed.
    """

    names: tuple[str, ...]
    notice: str = ""
    where_key: str | None = None


def flatten_levels(
    path: Path,
    columns: Sequence[tuple[str, str]],
    level_names: tuple[str, str],
    ticker: str,
    where: Mapping[str, str],
) -> FlatNames:
    """Keeps the names of one ticker's columns.

    Args:
        path: The file, for messages.
        columns: Both names of each column; an index has none on the second level.
        level_names: Names of the levels; may be empty.
        ticker: The source's name of the symbol.
        where: The source's conditions, one of which may name the ticker.

    Raises:
        InvalidBarsError: The columns of several tickers, and none is the symbol's.
    """
    level = _find_ticker_level(columns, level_names)
    tickers = list(dict.fromkeys(pair[level] for pair in columns if all(pair)))
    key = next((key for key in where if key == (level_names[level] or _TICKER)), None)
    wanted = where[key].replace("{symbol}", ticker) if key else ticker
    if key is None and len(tickers) == 1:
        wanted = tickers[0]
    if wanted not in tickers:
        example = quote_name(tickers[0]) if tickers else "AAPL"
        raise InvalidBarsError(
            f"this file has columns of {len(tickers)} tickers, and none of them is {wanted}",
            expected=f"columns of {wanted}",
            found=list_names(tickers),
            where=str(path),
            fix="say which one is the symbol: add "
            f"`where: {{{quote_name(level_names[level] or _TICKER)}: {example}}}` to the files "
            "source",
        )
    names = [_flat_name(pair, level, wanted) for pair in columns]
    notice = f"the columns of {wanted} are read" if wanted.lower() != ticker.lower() else ""
    return FlatNames(tuple(names), "" if key else notice, key)


def _find_ticker_level(columns: Sequence[tuple[str, str]], names: tuple[str, str]) -> int:
    """The level called Ticker, or else the one whose labels are no names of prices."""
    for level, name in enumerate(names):
        if name.lower() in ("ticker", "tickers", "symbol", "symbols"):
            return level
    known = [sum(is_known_name(pair[level]) for pair in columns) for level in (0, 1)]
    return 0 if known[1] > known[0] else 1


def _flat_name(pair: tuple[str, str], level: int, ticker: str) -> str:
    label, other = pair[1 - level], pair[level]
    if not label or not other:
        return label or other
    return label if other == ticker else f"{other} {label}"

"""Lists of closed trades: which columns mean what in the formats that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.auditing.closed_trades import ClosedTrades
from engine.auditing.readers import tradingview
from engine.auditing.readers._cells import normalise, read_numbers, read_stamps
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.auditing.readers._content import AuditedFile


@dataclass(frozen=True)
class TradeFormat:
    """The columns of one tool's list of trades, by their names as `normalise` gives them.

    Attributes:
        name: The tool.
        columns: Columns that tell the format: it has all of them.
        entry: Time of the entry.
        exit: Time of the exit; an empty one is a trade that is open.
        profit: Net profit in money; empty without it.
        returned: Return of the trade, of the value traded; empty without it.
        per_cent: Whether that is in per cent.
        size: Units; empty without them. Negative for a short trade where there is no `side`.
        price: Price of the entry.
        side: Column of the direction: its cells begin with s for short, or are true.
        symbol: Column of the symbol.
        is_open: Column and value of trades that are open.
    """

    name: str
    columns: frozenset[str]
    entry: str
    exit: str
    profit: str = ""
    returned: str = ""
    per_cent: bool = False
    size: str = ""
    price: str = ""
    side: str = ""
    symbol: str = ""
    is_open: tuple[str, str] = ("", "")


FORMATS = (
    TradeFormat(
        "backtesting.py",
        frozenset({"entrybar", "exitbar", "entrytime", "exittime", "pnl", "returnpct", "size"}),
        *("entrytime", "exittime", "pnl", "returnpct"),
        size="size",
        price="entryprice",
    ),
    TradeFormat(
        "vectorbt",
        frozenset({"entry_timestamp", "exit_timestamp", "pnl", "return", "direction", "status"}),
        *("entry_timestamp", "exit_timestamp", "pnl", "return"),
        size="size",
        price="avg_entry_price",
        side="direction",
        symbol="column",
        is_open=("status", "Open"),
    ),
    TradeFormat(
        "PyBroker",
        frozenset({"entry_date", "exit_date", "shares", "pnl", "return_pct", "agg_pnl"}),
        *("entry_date", "exit_date", "pnl", "return_pct"),
        per_cent=True,
        size="shares",
        price="entry",
        side="type",
        symbol="symbol",
    ),
    TradeFormat(
        "freqtrade",
        frozenset({"pair", "open_date", "close_date", "profit_abs", "profit_ratio"}),
        *("open_date", "close_date", "profit_abs", "profit_ratio"),
        size="amount",
        price="open_rate",
        side="is_short",
        symbol="pair",
    ),
)
_GENERIC = (
    TradeFormat("trades", frozenset(), *("entry_time", "exit_time", "pnl", "return")),
    TradeFormat("trades", frozenset(), *("entry_date", "exit_date", "pnl", "return")),
    TradeFormat("trades", frozenset(), *("entry", "exit", "pnl", "return")),
)


TRADE_FORMATS = (*(each.name.lower() for each in FORMATS), "tradingview", "trades")
"""Names of the formats of a table of trades; `trades` for columns of the user's own names."""


def find_trade_format(file: AuditedFile, wanted: str = "auto") -> TradeFormat:
    """The format whose columns the file has.

    Args:
        file: The table.
        wanted: One of `TRADE_FORMATS` but `tradingview`, which it has to be; `auto` to tell it.

    Raises:
        UsageError: None is, or several are; or the columns are not those of the wanted one.
    """
    have = {normalise(name) for name in file.columns}
    if wanted not in {"auto", "trades"}:
        return _require_format(next(each for each in FORMATS if each.name.lower() == wanted), file)
    found = [each for each in FORMATS if each.columns <= have and wanted == "auto"]
    if not found:
        found = [
            each
            for each in _GENERIC
            if {each.entry, each.exit} <= have and {each.profit, each.returned} & have
        ][:1]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        "the format of the trades cannot be told",
        expected="trades of TradingView, "
        + ", ".join(each.name for each in FORMATS)
        + "; or the columns "
        "entry_time, exit_time, and pnl or return",
        found=file.describe(),
        where=str(file.path),
        fix="name the columns so, a row a trade",
    )


def _require_format(wanted: TradeFormat, file: AuditedFile) -> TradeFormat:
    """The wanted format, of which a file needs the columns that are read, not all of its own."""
    have = {normalise(name) for name in file.columns}
    missing = [name for name in (wanted.entry, wanted.exit) if name not in have]
    if not {wanted.profit, wanted.returned} & have:
        missing.append(f"{wanted.profit} or {wanted.returned}")
    if not missing:
        return wanted
    raise UsageError(
        f"these are no trades of {wanted.name}",
        expected=f"the columns {', '.join(missing)}, as --format says",
        found=file.describe(),
        where=str(file.path),
        fix="leave --format out to have the format told",
    )


def read_trades(file: AuditedFile, format_name: str = "auto") -> ClosedTrades:
    """Reads a list of trades.

    Args:
        file: The table.
        format_name: One of `TRADE_FORMATS`; `auto` to tell it.

    Raises:
        UsageError: The format is not known, no trade is closed, or a cell cannot be read.
    """
    if format_name == "tradingview" or (format_name == "auto" and tradingview.recognises(file)):
        return tradingview.read(file)
    known = find_trade_format(file, format_name)
    names = {normalise(name): name for name in file.columns if name}
    column, value = known.is_open
    cells = file.frame[names[known.exit]]
    is_open = cells.isna() | (cells.astype("str").str.strip().isin(["", "NaT", "nan"]))
    if column in names:
        is_open |= file.frame[names[column]].astype("str") == value
    closed = type(file)(
        file.path,
        file.frame[~is_open].reset_index(drop=True),
        file.separator,
        file.date_format,
    )
    if closed.frame.empty:
        raise UsageError(
            "no trade is closed",
            expected="trades with an exit",
            found=f"{len(file.frame):,} open ones",
            where=str(file.path),
            fix="audit the equity curve in place of the trades",
        )
    frame = pd.DataFrame(
        {
            "entry": read_stamps(closed, names[known.entry]),
            "exit": read_stamps(closed, names[known.exit]),
        }
    )
    _add_numbers(frame, closed, known, names)
    if known.symbol in names:
        frame["symbol"] = closed.frame[names[known.symbol]].astype("str")
    count = int(is_open.sum())
    notes = (f"{count:,} open {'trade' if count == 1 else 'trades'} left out",) if count else ()
    return ClosedTrades(known.name, frame, str(file.path), notes)


def _add_numbers(
    frame: pd.DataFrame, closed: AuditedFile, known: TradeFormat, names: Mapping[str, str]
) -> None:
    """Adds profit, return, signed size and price, as far as the file has them."""
    for target, column in (
        ("profit", known.profit),
        ("returned", known.returned),
        ("size", known.size),
        ("price", known.price),
    ):
        if column in names:
            frame[target] = read_numbers(closed, names[column])[0].to_numpy()
    if known.per_cent and "returned" in frame:
        frame["returned"] /= 100.0
    if known.side in names and "size" in frame:
        side = closed.frame[names[known.side]].astype("str").str.strip().str.lower()
        short = side.str.startswith("s") | side.eq("true")
        frame["size"] = frame["size"].abs().where(~short, -frame["size"].abs())

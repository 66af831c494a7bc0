"""TradingView's list of trades: two rows a trade, its entry and its exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.auditing.closed_trades import ClosedTrades
from engine.auditing.readers._cells import normalise, read_numbers, read_stamps
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.auditing.readers._content import AuditedFile

_NUMBER = ("trade_#", "trade_number")
_TIMES = ("date/time", "date_and_time")
_PROFITS = ("net_p&l_", "profit_", "p&l_")
_SUMS = ("cumulative_p&l_", "cumulative_profit_")
_SIZES = ("contracts", "position_size", "quantity", "size")


def recognises(file: AuditedFile) -> bool:
    """Whether a table is a list of trades of TradingView."""
    names = {normalise(name) for name in file.columns}
    return bool(names & set(_NUMBER)) and "type" in names and bool(names & set(_TIMES))


def read(file: AuditedFile) -> ClosedTrades:
    """The closed trades; the capital at the start by the cumulative profit in money and per cent.

    Raises:
        UsageError: A column is missing, or no trade is closed.
    """
    frame = file.frame
    number = _require(file, *_NUMBER)
    kind = frame[_require(file, "type")].astype("str").str.lower()
    rows = pd.DataFrame(
        {
            "number": frame[number].astype("str"),
            "time": read_stamps(file, _require(file, *_TIMES)),
            "is_exit": kind.str.startswith("exit"),
            "is_short": kind.str.contains("short"),
            "profit": _read_money(file, _PROFITS),
        }
    )
    price = _find(file, "price_")
    size = next((each for name in _SIZES if (each := _find(file, name))), None)
    if price and size:
        rows["price"] = read_numbers(file, price)[0].to_numpy()
        rows["size"] = read_numbers(file, size)[0].to_numpy()
    entries, exits = (
        rows[rows["is_exit"] == flag].drop_duplicates("number").set_index("number")
        for flag in (False, True)
    )
    closed = entries.index.intersection(exits.index)
    if closed.empty:
        raise UsageError(
            "no trade is closed",
            expected="a row of the entry and one of the exit for each trade",
            found=file.describe(),
            where=str(file.path),
            fix="export the list of trades of the strategy tester",
        )
    entries, exits = entries.loc[closed], exits.loc[closed]
    trades = pd.DataFrame(
        {
            "entry": pd.DatetimeIndex(entries["time"]),
            "exit": pd.DatetimeIndex(exits["time"]),
            "profit": exits["profit"].to_numpy(),
        }
    )
    if "size" in entries:
        sign = 1.0 - 2.0 * entries["is_short"].to_numpy(dtype=float)
        trades["size"] = sign * entries["size"].abs().to_numpy()
        trades["price"] = entries["price"].to_numpy()
    left = rows["number"].nunique() - len(closed)
    notes = (f"{left:,} open trades left out",) if left else ()
    return ClosedTrades("TradingView", trades, str(file.path), notes, _find_capital(file))


def _find_capital(file: AuditedFile) -> float | None:
    """Cumulative profit over the same in per cent, at its largest; to four digits."""
    shares = [name for start in _SUMS if (name := _find(file, start, per_cent=True))]
    sums = [name for start in _SUMS if (name := _find(file, start))]
    if not shares or not sums:
        return None
    percent = read_numbers(file, shares[0])[0]
    row = int(percent.abs().to_numpy().argmax())
    money = float(read_numbers(file, sums[0])[0].iloc[row])
    share = float(percent.iloc[row])
    return float(f"{100.0 * money / share:.4g}") if share else None


def _read_money(file: AuditedFile, starts: tuple[str, ...]) -> pd.Series[float]:
    column = next((name for start in starts if (name := _find(file, start))), None)
    if column is None:
        raise _missing(file, "Net P&L")
    return read_numbers(file, column)[0]


def _find(file: AuditedFile, start: str, *, per_cent: bool = False) -> str | None:
    """The first column whose name begins so, in money or in per cent."""
    found = (
        name
        for name in file.columns
        if normalise(name).startswith(start) and name.strip().endswith("%") == per_cent
    )
    return next(found, None)


def _require(file: AuditedFile, *names: str) -> str:
    column = next((name for name in file.columns if normalise(name) in names), None)
    if column is None:
        raise _missing(file, names[0])
    return column


def _missing(file: AuditedFile, name: str) -> UsageError:
    return UsageError(
        f"the list of trades has no column {name}",
        expected="the columns that TradingView exports",
        found=file.describe(),
        where=str(file.path),
        fix="export the list of trades again, in English",
    )

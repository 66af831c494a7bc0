"""Returns of closed trades: by their exits alone, or marked at the closes of bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector

_FIRST_DAY_OF_WEEKEND = 5


@dataclass(frozen=True, eq=False)
class ClosedTrades:
    """Closed trades of one account.

    Attributes:
        source: The format that they were read as.
        frame: A row a trade: `entry` and `exit` (UTC), and as far as known `profit` (net, in
            money), `returned` (of the value traded), `size` (units, signed), `price` (of the
            entry), `symbol`.
        where: The file, for messages.
        notes: What was left out.
        capital: Equity before the first trade; None where the file does not say.
    """

    source: str
    frame: pd.DataFrame = field(repr=False)
    where: str
    notes: tuple[str, ...] = ()
    capital: float | None = None

    def to_backtest(
        self, capital: float | None, close: pd.Series[float] | None = None
    ) -> AuditedBacktest:
        """The returns of the account.

        With closes, open trades are marked at each of them. Without, the equity moves by the
        profit of a trade on the day of its exit; days are those of the week, or all seven where a
        trade begins or ends on a weekend. Without a capital the returns of trades are compounded
        as if each had the whole equity.

        Args:
            capital: Equity before the first trade; None for what the file says.
            close: Closes of the one symbol that is traded; None without bars.

        Raises:
            UsageError: There is neither a capital nor trades one after another; an exit comes
                before its entry; or bars are given, and trades have no size, or several symbols.
        """
        self._require_order()
        start = self.capital if capital is None else capital
        if close is not None:
            returns, notes = self._mark(start, close), ("open trades are marked at the closes",)
        elif start is not None and "profit" in self.frame:
            returns, notes = self._by_profit(start), (f"the capital at the start is {start:,.0f}",)
        else:
            returns, notes = (
                self._by_return(),
                ("each trade is taken as one with the whole equity",),
            )
        return AuditedBacktest(
            self.source,
            returns,
            round_trips=len(self.frame),
            by_exits=close is None,
            notes=(*self.notes, *notes),
        )

    def _require_order(self) -> None:
        backwards = (self.frame["exit"] < self.frame["entry"]).to_numpy()
        if backwards.any():
            row = int(backwards.argmax())
            raise UsageError(
                "a trade ends before it begins",
                expected="exits after entries",
                found=f"{self.frame['entry'].iloc[row]}, then {self.frame['exit'].iloc[row]}",
                where=f"{self.where}, trade {row + 1:,}",
                fix="check how dates are written: --dates",
            )

    def _days(self) -> pd.DatetimeIndex:
        first = self.frame["entry"].min().normalize()
        last = self.frame["exit"].max().normalize()
        used = pd.DatetimeIndex(pd.concat([self.frame["entry"], self.frame["exit"]]))
        weekend = bool((used.day_of_week >= _FIRST_DAY_OF_WEEKEND).any())
        days = pd.date_range(first, last, freq="D")
        return days if weekend else days[days.day_of_week < _FIRST_DAY_OF_WEEKEND]

    def _by_profit(self, capital: float) -> pd.Series[float]:
        days = self._days()
        profit = self.frame.groupby(self.frame["exit"].dt.normalize())["profit"].sum()
        equity = capital + profit.reindex(days, fill_value=0.0).cumsum().to_numpy()
        return _changes(capital, equity, days, self.where)

    def _by_return(self) -> pd.Series[float]:
        if "returned" not in self.frame:
            raise self._without_capital("the trades have profits in money and no capital")
        ordered = self.frame.sort_values("entry", kind="stable")
        entries, exits = ordered["entry"].to_numpy(), ordered["exit"].to_numpy()
        if (entries[1:] < exits[:-1]).any():
            raise self._without_capital(
                "trades overlap, and their shares of the equity are not known"
            )
        days = self._days()
        growth = (1.0 + ordered["returned"]).groupby(ordered["exit"].dt.normalize()).prod()
        equity = growth.reindex(days, fill_value=1.0).cumprod().to_numpy()
        return _changes(1.0, equity, days, self.where)

    def _without_capital(self, problem: str) -> UsageError:
        return UsageError(
            problem,
            expected="the equity before the first trade",
            found=f"{len(self.frame):,} trades of {self.source}",
            where=self.where,
            fix="add --capital AMOUNT, in the currency of the profits",
        )

    def _mark(self, capital: float | None, close: pd.Series[float]) -> pd.Series[float]:
        symbols = self.frame["symbol"].nunique() if "symbol" in self.frame else 1
        if capital is None or symbols > 1 or not {"size", "price", "profit"} <= set(self.frame):
            raise UsageError(
                "the trades cannot be marked at these bars",
                expected="a capital, one symbol, and sizes, prices and profits of the trades",
                found=f"{symbols} symbols; {', '.join(self.frame.columns)}; "
                f"{'no capital' if capital is None else f'a capital of {capital:g}'}",
                where=self.where,
                fix="add --capital, or leave out --bars and compare with --benchmark",
            )
        first, last = self.frame["entry"].min(), self.frame["exit"].max()
        begin, end = (int(place) for place in _bar_of(close.index, pd.Index([first, last])))
        step = close.index[1] - close.index[0]
        if begin < 0 or end <= begin or last > close.index[-1] + step:
            raise UsageError(
                "the bars do not cover the trades",
                expected=f"bars from {first} to {last}",
                found=f"bars from {close.index[0]} to {close.index[-1]}",
                where=self.where,
                fix="use the bars that were traded",
            )
        span = close.iloc[begin : end + 1]
        exits = _bar_of(span.index, self.frame["exit"])
        closed = np.bincount(exits, self.frame["profit"], minlength=len(span)).cumsum()
        equity = capital + closed + _open_profits(self.frame, span)
        return _changes(capital, equity, pd.DatetimeIndex(span.index), self.where)


def _bar_of(stamps: pd.Index, times: pd.Index | pd.Series) -> IntVector:
    """The bar in which each time lies, bars labelled by their begin; -1 before the first."""
    return np.asarray(stamps.searchsorted(pd.DatetimeIndex(times), side="right")) - 1


def _open_profits(frame: pd.DataFrame, span: pd.Series[float]) -> Vector:
    """Profit of the trades that are open at each close, shape (n,).

    Units and units times price are summed by two differences, so that many trades take no longer
    than few.
    """
    begins, ends = (_bar_of(span.index, frame[name]) for name in ("entry", "exit"))
    size, value = frame["size"].to_numpy(), (frame["size"] * frame["price"]).to_numpy()
    count = len(span) + 1

    def held(amounts: Vector) -> Vector:
        changes = np.bincount(begins, amounts, count) - np.bincount(ends, amounts, count)
        summed: Vector = changes.cumsum()[:-1]
        return summed

    profits: Vector = held(size) * span.to_numpy() - held(value)
    return profits


def _changes(
    start: float, equity: Vector, stamps: pd.DatetimeIndex, where: str
) -> pd.Series[float]:
    """Returns of an equity that begins at `start`."""
    if start <= 0.0 or (equity <= 0.0).any():
        raise UsageError(
            "the equity is not above 0",
            expected="a capital above 0 that the losses leave above 0",
            found=f"{start:,.2f} at the start, {float(equity.min()):,.2f} at the lowest",
            where=where,
            fix="give the capital that the trades were made with: --capital",
        )
    before = np.concatenate([[start], equity[:-1]])
    return pd.Series(np.asarray(equity / before - 1.0, dtype=np.float64), index=stamps)

"""Funding of an account: rates that came in time, and the corrections of those that came late.

A payment is charged at the bar that it belongs to where its rate had come before that bar was
decided. Otherwise the next bar pays what that bar would have paid on what it held: the correction.
Nothing that was decided changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.data.funding_rates import FundingRates, SymbolFunding
from engine.data.intervals import bar_end
from engine.simulation.accounting import INITIAL_CASH, fund_positions
from engine.simulation.rate_values import funding_by_fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from engine.live.journal.rows import FundingRow
    from engine.simulation.account import Account


@dataclass(frozen=True)
class HeldBar:
    """What an account held over a bar.

    Attributes:
        bar: The bar.
        before: The account before it.
        after: The account after it.
    """

    bar: pd.Timestamp
    before: Account
    after: Account


@dataclass(frozen=True)
class Correction:
    """What the rates that came late cost.

    Attributes:
        paid: For an initial equity of 1; negative where the account receives it.
        rates: Symbol -> how many payments.
        first: When the first of them was due.
    """

    paid: float
    rates: Mapping[str, int]
    first: pd.Timestamp

    def apply(self, account: Account) -> Account:
        """The account that has paid it since its last close, whose equity stays what it was."""
        return account.model_copy(
            update={
                "cash_flow": account.cash_flow - self.paid,
                "available_cash": account.available_cash - self.paid * INITIAL_CASH,
            }
        )


class AccountFunding:
    """The rates of an account, by when they came.

    Args:
        history: The rates that were known when it was started.
        rows: Those that have come since.
        interval: Length of a bar.
        price: Of a bar, at which orders are filled.
    """

    def __init__(
        self,
        history: FundingRates,
        rows: Iterable[FundingRow],
        interval: str,
        price: Literal["open", "close"],
    ) -> None:
        self._history, self._interval, self._price = history, interval, price
        self._in_time: dict[str, list[FundingRow]] = defaultdict(list)
        self._late: dict[pd.Timestamp, list[FundingRow]] = defaultdict(list)
        for row in rows:
            if row.due_at > bar_end(row.after_bar, interval):
                self._in_time[row.symbol].append(row)
            else:
                self._late[row.after_bar].append(row)

    def rates(self) -> FundingRates:
        """The payments that are charged at their own bars."""
        symbols = {*self._history.by_symbol, *self._in_time}
        return FundingRates({symbol: self._rates_of(symbol) for symbol in sorted(symbols)})

    def _rates_of(self, symbol: str) -> SymbolFunding:
        known = self._history.of(symbol)
        rows = sorted(self._in_time[symbol], key=lambda row: row.due_at)
        stamps = np.array([row.due_at.value // 1_000 for row in rows], dtype=np.int64)
        return SymbolFunding(
            np.concatenate([known.instants, stamps]),
            np.concatenate([known.rates, [row.rate for row in rows]]),
        )

    def correction(
        self, bar: pd.Timestamp, find_bar: Callable[[pd.Timestamp], HeldBar | None]
    ) -> Correction | None:
        """What is paid for late rates after a bar; None where there are none.

        Args:
            bar: The bar that was decided last.
            find_bar: The bar that a payment belongs to: the first that closes at that instant or
                later. None where the account had not begun.
        """
        rows = self._late.get(bar)
        if not rows:
            return None
        paid, counts = 0.0, dict[str, int]()
        for row in sorted(rows, key=lambda each: (each.due_at, each.symbol)):
            counts[row.symbol] = counts.get(row.symbol, 0) + 1
            held = find_bar(row.due_at)
            if held is not None:
                paid += self._paid(row, held)
        return Correction(paid, counts, min(row.due_at for row in rows))

    def corrected(self, account: Account, held: Sequence[HeldBar]) -> Account:
        """The account that has paid for what came late after its last bar.

        Args:
            account: After the last of these bars.
            held: Its bars so far.
        """
        correction = self.correction(
            held[-1].bar, lambda due_at: find_held_bar(due_at, held, self._interval)
        )
        return account if correction is None else correction.apply(account)

    def _paid(self, row: FundingRow, held: HeldBar) -> float:
        """What a payment would have cost at its bar."""
        at_open = row.due_at <= held.bar
        rates = (row.rate, 0.0) if at_open else (0.0, row.rate)
        parts = zip(funding_by_fill(*rates, self._price), (held.before, held.after), strict=True)
        marks = {holding.symbol: holding.close for holding in held.before.holdings}
        return sum(
            fund_positions([account.units.get(row.symbol, 0.0)], [marks[row.symbol]], [rate])
            for rate, account in parts
            if row.symbol in marks
        )


def differing_payments(one: SymbolFunding, other: SymbolFunding) -> set[int]:
    """When the payments were due that one of two series lacks, or of which it has another rate."""
    first, second = (
        set(zip(each.instants.tolist(), each.rates.tolist(), strict=True)) for each in (one, other)
    )
    return {instant for instant, _ in first ^ second}


def find_held_bar(due_at: pd.Timestamp, bars: Sequence[HeldBar], interval: str) -> HeldBar | None:
    """The bar of an account that a payment belongs to.

    Args:
        due_at: The payment.
        bars: Of the account, ascending, from the first that it decided on.
        interval: Length of a bar.
    """
    for held in bars:
        if bar_end(held.bar, interval) >= due_at:
            return None if held.before.timestamp is None else held
    return None

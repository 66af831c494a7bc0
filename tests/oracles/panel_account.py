"""A book on a panel in plain Python: it reads bars as they come, and no mask, price or line.

A symbol that is not in a bar is worth its last close. One that has not been in a bar for longer
than some days is paid out at its last close x (1 + its delisting return), free of charge. Orders
are those of `pure_simulator`: a changed target is filled `delay` bars later, or at the next bar of
its symbol that trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Bar = Mapping[str, tuple[float, float, bool]]
    Wanted = tuple[float, str]


@dataclass(frozen=True)
class Terms:
    """How orders are filled, what they cost, and what a delisting pays."""

    at_open: bool
    delay: int
    fee: float
    slippage: float
    borrow: float
    cash_rate: float
    after_days: int
    delisting_returns: Mapping[str, float]


class PanelAccount:
    """The book, a bar at a time; money for an equity of 1 at the start."""

    def __init__(self, order: Sequence[str], terms: Terms) -> None:
        self.order, self.terms = list(order), terms
        self.cash, self.charge = 1.0, 0.0
        self.units, self.filled, self.decided = (dict.fromkeys(order, 0.0) for _ in range(3))
        self.last: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.gone: set[str] = set()
        self.queue: list[tuple[int, str, float]] = []  # row at which it is due, symbol, target

    def pay_out(self, bar: Bar, day: float) -> set[str]:
        """Symbols that are found to be delisted, now worth what is paid for them."""
        absent = {s for s in self.seen if s not in bar and s not in self.gone}
        paid = {s for s in absent if day - self.seen[s] > self.terms.after_days}
        for symbol in paid:
            self.last[symbol] *= 1 + self.terms.delisting_returns[symbol]
            self.last[symbol] = max(self.last[symbol], 1e-10)
            self.decided[symbol] = self.filled[symbol] = 0.0
        self.queue = [each for each in self.queue if each[1] not in paid]
        self.gone = (self.gone | paid) - bar.keys()
        return paid

    def find_orders(
        self, t: int, bar: Bar, price: Mapping[str, float], now: float
    ) -> list[Wanted]:
        """What is due, and value to trade."""
        wanted = []
        for symbol in bar:
            due = [each for each in self.queue if each[1] == symbol and each[0] <= t]
            if due and bar[symbol][2]:
                self.queue = [each for each in self.queue if each not in due]
                target = due[-1][2]
                if target != self.filled[symbol]:
                    self.filled[symbol] = target
                    wanted.append((target * now - self.units[symbol] * price[symbol], symbol))
        return wanted

    def fill(self, wanted: Sequence[Wanted], price: Mapping[str, float], free: set[str]) -> None:
        """Small before large, equal ones by symbol; what is paid out costs nothing."""
        key = self.order.index
        for value, symbol in sorted(wanted, key=lambda each: (round(each[0], 12), key(each[1]))):
            cost, slip = (0.0, 0.0) if symbol in free else (self.terms.fee, self.terms.slippage)
            paid = price[symbol] * (1 + slip if value > 0 else 1 - slip)
            size = value / price[symbol]
            if size > 0:
                size = min(size, max(0.0, self.cash) / (paid * (1 + cost)))
            self.cash -= size * paid + abs(size) * paid * cost
            self.units[symbol] += size

    def step(self, t: int, days: float, day: float, bar: Bar) -> float:
        """Equity at the close, `days` after the bar before."""
        self.cash -= self.charge * days / 365.25
        paid = self.pay_out(bar, day)
        place = 0 if self.terms.at_open else 1
        price = self.last | {symbol: prices[place] for symbol, prices in bar.items()}
        now = self.cash + sum(self.units[s] * price[s] for s in price)
        sold = [(-self.units[s] * price[s], s) for s in paid]
        self.fill([*self.find_orders(t, bar, price, now), *sold], price, paid)
        self.last |= {symbol: prices[1] for symbol, prices in bar.items()}
        self.seen |= dict.fromkeys(bar, day)
        values = [self.units[s] * self.last[s] for s in self.last]
        equity = self.cash + sum(values)
        idle = max(0.0, equity - sum(max(0.0, value) for value in values))
        short = sum(max(0.0, -value) for value in values)
        self.charge = self.terms.borrow * short - self.terms.cash_rate * idle
        return equity

    def decide(self, t: int, targets: Mapping[str, float], paid: set[str]) -> None:
        """A target that changed is an order, but of what was paid out at this bar."""
        for symbol in self.order:
            if targets[symbol] != self.decided[symbol] and symbol not in paid:
                self.queue.append((t + self.terms.delay, symbol, targets[symbol]))
            self.decided[symbol] = targets[symbol]


def equity_of_panel(
    days: Sequence[float],
    bars: Sequence[Bar],
    weights: Sequence[Mapping[str, float]],
    terms: Terms,
) -> list[float]:
    """Equity at each close.

    Args:
        days: Of each bar.
        bars: Symbol -> open, close and whether it traded, of those that have a bar.
        weights: Decided at each close.
        terms: Of the book.
    """
    account, curve = PanelAccount(weights[0], terms), []
    for t, (day, bar) in enumerate(zip(days, bars, strict=True)):
        before = set(account.gone)
        curve.append(account.step(t, day - days[t - 1] if t else 0.0, day, bar))
        account.decide(t, weights[t], account.gone - before)
    return curve

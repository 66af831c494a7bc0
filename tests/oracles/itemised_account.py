"""A book in plain Python that pays itemised costs; in real money, and no line shared.

Rules of `engine.simulation`: a changed target is decided at a close and due `delay` bars later;
sells first; what a bar cannot fill of an order waits, sized anew; a newer order replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Charges:
    """Of one symbol; `impact`, `half_spread` and `limit` have a value a bar, limits in units."""

    half_spread: Sequence[float]
    impact: Sequence[float]
    limit: Sequence[float]
    bps: float = 0.0
    per_unit: float = 0.0
    minimum: float = 0.0
    maximum: float = inf
    tiers: Sequence[tuple[float, float]] = ()
    """Value from which on -> basis points of the part above."""
    borrow: float = 0.0
    fees: list[float] = field(default_factory=list)

    def price(self, t: int, price: float, size: float) -> float:
        slip = self.half_spread[t]
        if self.impact[t] > 0:
            slip = max(slip, min(slip + self.impact[t] * sqrt(abs(size)), 0.9999))
        return price * (1 + slip if size > 0 else 1 - slip)

    def fee(self, size: float, price: float) -> float:
        value = abs(size) * price
        fee = value * self.bps / 10_000 + abs(size) * self.per_unit
        for number, (begin, bps) in enumerate(self.tiers):
            end = self.tiers[number + 1][0] if number + 1 < len(self.tiers) else inf
            fee += max(0.0, min(value, end) - begin) * bps / 10_000
        return min(max(fee, self.minimum), self.maximum * value)

    def cost(self, t: int, price: float, size: float) -> float:
        paid = self.price(t, price, size)
        return size * paid + self.fee(size, paid)


@dataclass(frozen=True)
class Terms:
    """Of a book; times in days, rates a year.

    `payments` are of each symbol (instant, rate), `traded` says by bar and symbol whether anything
    trades. Bars last from `opens_at` to `closes_at`, and fills are at one of the two.
    """

    delay: int
    capital: float
    loan: float | None = None
    cash_rate: float = 0.0
    margin: float = 0.0
    traded: Sequence[Sequence[bool]] | None = None
    payments: Sequence[Sequence[tuple[float, float]]] = ()
    opens_at: Sequence[float] = ()
    closes_at: Sequence[float] = ()
    fills_at_close: bool = False

    def payments_of(self, t: int, symbol: int, *, before: bool) -> float:
        """Sum of the rates that are due at a bar, before its fill or after it."""
        if t == 0 or not self.payments:
            return 0.0
        fill = (self.closes_at if self.fills_at_close else self.opens_at)[t]
        return sum(
            rate
            for instant, rate in self.payments[symbol]
            if self.closes_at[t - 1] < instant <= self.closes_at[t] and (instant <= fill) == before
        )


def equity_curve(
    weights: Sequence[Sequence[float]],
    fill_prices: Sequence[Sequence[float]],
    closes: Sequence[Sequence[float]],
    years: Sequence[float],
    charges: Sequence[Charges],
    terms: Terms,
) -> list[float]:
    """Equity at each close over the capital; while the book lives."""
    symbols = range(len(closes[0]))
    cash, units = terms.capital, [0.0] * len(closes[0])
    due: list[float | None] = [None] * len(units)
    filled: list[float | None] = [0.0] * len(units)
    carry, called, curve = 0.0, -1, []
    for t, (price, close) in enumerate(zip(fill_prices, closes, strict=True)):
        cash += carry * years[t]
        cash -= sum(
            units[s] * closes[t - 1][s] * terms.payments_of(t, s, before=True) for s in symbols
        )
        equity = cash + sum(u * p for u, p in zip(units, price, strict=True))
        if called >= 0 and called == t - 1:
            due = [0.0 if held else None for held in units]
        elif t - terms.delay > called:
            _decide(weights, t - terms.delay, due, filled)
        open_for = [due[s] is not None and _trades(terms, t, s) for s in symbols]
        values = [(w or 0.0) * equity - u * p for w, u, p in zip(due, units, price, strict=True)]
        for value, s in sorted((values[s], s) for s in symbols if open_for[s]):
            wanted = value / price[s]
            size = max(-charges[s].limit[t], min(charges[s].limit[t], wanted))
            closes_all = size == wanted and due[s] == 0
            if size == wanted:
                filled[s], due[s] = due[s], None
            elif size:
                filled[s] = None
            payable = cash if terms.loan is None else inf
            paid_for = _affordable(charges[s], t, price[s], size, payable)
            if paid_for:
                cash -= charges[s].cost(t, price[s], paid_for)
                units[s] = 0.0 if closes_all and paid_for == size else units[s] + paid_for
        cash -= sum(
            units[s] * closes[t - 1][s] * terms.payments_of(t, s, before=False) for s in symbols
        )
        values = [u * p for u, p in zip(units, close, strict=True)]
        equity, gross = cash + sum(values), sum(map(abs, values))
        carry = _carry_a_year(cash, values, charges, terms)
        called = t if gross > 0 and equity < terms.margin * gross else called
        curve.append(equity / terms.capital)
    return curve


def _carry_a_year(
    cash: float, values: Sequence[float], charges: Sequence[Charges], terms: Terms
) -> float:
    """What the cash receives a year for what is held: yield, less borrow and loan."""
    longs = sum(max(0.0, v) for v in values)
    borrow = sum(max(0.0, -v) * c.borrow for v, c in zip(values, charges, strict=True))
    free = max(0.0, cash + sum(values) - longs)
    return terms.cash_rate * free - borrow - (terms.loan or 0.0) * max(0.0, -cash)


def _trades(terms: Terms, t: int, symbol: int) -> bool:
    return terms.traded is None or terms.traded[t][symbol]


def _decide(
    weights: Sequence[Sequence[float]],
    row: int,
    due: list[float | None],
    filled: list[float | None],
) -> None:
    """The orders of a row: one back to the target filled last takes back what waits."""
    if row < 0:
        return
    before = weights[row - 1] if row else [0.0] * len(due)
    for s, (weight, old) in enumerate(zip(weights[row], before, strict=True)):
        if weight != old:
            due[s] = None if due[s] is not None and weight == filled[s] else weight


def _affordable(charges: Charges, t: int, price: float, wanted: float, cash: float) -> float:
    """The size, or the one that costs the cash, by the regula falsi of Illinois."""
    if wanted <= 0 or charges.cost(t, price, wanted) <= cash:
        return wanted
    low, high = 0.0, wanted
    left = charges.cost(t, price, 1e-300) - cash
    right = charges.cost(t, price, high) - cash
    if left >= 0:
        return 0.0
    for _ in range(200):
        middle = high - right * (high - low) / (right - left)
        value = charges.cost(t, price, middle) - cash
        if abs(value) <= 1e-13 * cash:
            return middle
        if value > 0:
            high, right, left = middle, value, left / 2 if right > 0 else left
        else:
            low, left, right = middle, value, right / 2
    return middle

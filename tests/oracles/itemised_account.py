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


def equity_curve(
    weights: Sequence[Sequence[float]],
    fill_prices: Sequence[Sequence[float]],
    closes: Sequence[Sequence[float]],
    years: Sequence[float],
    charges: Sequence[Charges],
    *,
    delay: int,
    capital: float,
) -> list[float]:
    """Equity at each close over the capital; while the book lives."""
    symbols = range(len(closes[0]))
    cash, units = capital, [0.0] * len(closes[0])
    due: list[float | None] = [None] * len(units)
    filled: list[float | None] = [0.0] * len(units)
    borrow, curve = 0.0, []
    for t, (price, close) in enumerate(zip(fill_prices, closes, strict=True)):
        cash -= borrow * years[t]
        equity = cash + sum(u * p for u, p in zip(units, price, strict=True))
        _decide(weights, t - delay, due, filled)
        values = [(w or 0.0) * equity - u * p for w, u, p in zip(due, units, price, strict=True)]
        for value, s in sorted((values[s], s) for s in symbols if due[s] is not None):
            wanted = value / price[s]
            size = max(-charges[s].limit[t], min(charges[s].limit[t], wanted))
            if size == wanted:
                filled[s], due[s] = due[s], None
            elif size:
                filled[s] = None
            size = _affordable(charges[s], t, price[s], size, cash)
            if size:
                cash -= charges[s].cost(t, price[s], size)
                units[s] += size
        values = [u * p for u, p in zip(units, close, strict=True)]
        borrow = sum(max(0.0, -v) * c.borrow for v, c in zip(values, charges, strict=True))
        curve.append((cash + sum(values)) / capital)
    return curve


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

"""A second simulator in plain Python: no vectorbt, no pandas, no numpy, no line shared.

Same rules as `engine.simulation`: a changed target is decided at a close and filled `delay` bars
later; sells first; buys cut to the cash; shorts and idle cash cost and earn cash at the next bar;
a book below a millionth of its start at any fill or close is ruined, and ruin is final. Where
nothing trades an order waits: the last one that is due is filled at the next bar that trades,
unless it asks for what was filled last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Table = Sequence[Sequence[float]]

FLOOR = 1e-6


def equity_curve(
    weights: Table,
    fill_prices: Table,
    closes: Table,
    years: Sequence[float],
    *,
    delay: int,
    fee: float,
    slippage: float,
    borrow_rate: float,
    cash_rate: float,
    traded: Sequence[Sequence[bool]],
) -> list[float]:
    """Equity at each close; rows are bars, columns symbols; years since the bar before."""
    symbols = range(len(closes[0]))
    cash, units, charge = 1.0, [0.0 for _ in symbols], 0.0
    due, filled = [0.0 for _ in symbols], [0.0 for _ in symbols]
    curve: list[float] = []
    for t, (price, close) in enumerate(zip(fill_prices, closes, strict=True)):
        cash -= charge * years[t]
        decided = t - delay
        lowest = now = cash + sum(u * p for u, p in zip(units, price, strict=True))
        orders = []
        for s in symbols if decided >= 0 and now >= FLOOR else ():
            if decided == 0 or weights[decided][s] != weights[decided - 1][s]:
                due[s] = weights[decided][s]
            if due[s] != filled[s] and traded[t][s]:
                filled[s] = due[s]
                orders.append((due[s] * now - units[s] * price[s], s))
        # Equal orders go by symbol, whatever the last digit that rounding left in them.
        for wanted, s in sorted(orders, key=lambda order: (round(order[0], 12), order[1])):
            paid = price[s] * (1.0 + slippage if wanted > 0 else 1.0 - slippage)
            size = wanted / price[s]
            if size > 0:
                size = min(size, max(0.0, cash) / (paid * (1.0 + fee)))
            cash -= size * paid + abs(size) * paid * fee
            units[s] += size
        values = [u * p for u, p in zip(units, close, strict=True)]
        equity = cash + sum(values)
        after = cash + sum(u * p for u, p in zip(units, price, strict=True))
        if min(lowest, after, equity) < FLOOR:
            return curve + [0.0] * (len(closes) - t)
        idle = max(0.0, equity - sum(max(0.0, value) for value in values))
        charge = borrow_rate * sum(max(0.0, -value) for value in values) - cash_rate * idle
        curve.append(equity)
    return curve

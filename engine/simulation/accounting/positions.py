"""Units of a book: what fills leave, what they are worth, and when a margin call closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector
    from engine.simulation.accounting.tables import Numbers

INITIAL_CASH = 1e9
"""vectorbt ignores orders below 1e-12 units; at this scale they are below 1e-16 of the equity at
a price of 100,000. Sizes and fees are divided by it again, so that the equity starts at 1."""

RUIN_FLOOR = 1e-6
"""Equity, as a share of the start, below which a book is ruined. At the floor the smallest order
that is filled, 1e-12 units at the scale of `INITIAL_CASH`, is 1e-10 of the equity at a price of
100,000 and 1e-6 of it at 1e9; and the sum of the cash flows, which rounds at 1e-16, is right to
1e-10 of the equity. Far below it neither would hold: the figures would be those of rounding."""

_CLOSED_POSITION_TOLERANCE = 1e-9
"""Share of a fill; vectorbt treats a position of which less is left as closed."""


def add_units(held: float, size: float) -> float:
    """Units after a fill; 0 where it closes the position up to the rounding of vectorbt."""
    units = held + size
    return 0.0 if abs(units) <= _CLOSED_POSITION_TOLERANCE * abs(size) else units


def hold_after_fills(column: IntVector, size: Vector, symbols: int) -> Vector:
    """Units of the symbol of each fill after it; shape (m + 1,), 0 before the first.

    Args:
        column: Symbol of each of m fills, in their order.
        size: Units, signed.
        symbols: Number of symbols.
    """
    units = np.zeros(symbols)
    after = np.zeros(len(size) + 1)
    for number in range(len(size)):
        held = add_units(units[column[number]], size[number])
        units[column[number]] = held
        after[number + 1] = held
    return after


def value_units(units: Numbers, prices: Numbers) -> float:
    """Value of units at prices, added up in the order of the symbols."""
    value = 0.0
    for i in range(len(units)):
        value += units[i] * prices[i]
    return value


def is_called(units: Numbers, closes: Numbers, equity: float, maintenance_margin: float) -> bool:
    """Whether equity / gross exposure at the close is below the maintenance margin."""
    gross = 0.0
    for i in range(len(units)):
        gross += abs(units[i] * closes[i])
    return gross > 0 and equity < maintenance_margin * gross

"""Fills to round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_RESIDUE = 1e-9
"""A position below this part of the largest of its round trip is rounding: it is closed."""


@dataclass(frozen=True)
class Part:
    """A fill, or the part of it that belongs to one trip.

    Attributes:
        fill: Its row in the table of fills.
        share: What part of that fill it is, above 0, at most 1.
        size: Units, signed.
        price: Paid, slippage included.
    """

    fill: int
    share: float
    size: float
    price: float


@dataclass(frozen=True)
class Trip:
    """A round trip.

    Attributes:
        symbol: Of what.
        parts: Its fills in their order.
        units: Held after the last of them, signed; 0 but for rounding where it is finished.
        cash: Cash flow, fees taken off: the profit of a finished trip. Money for an initial
            equity of 1.
        open: Whether it is under way still.
    """

    symbol: str
    parts: tuple[Part, ...]
    units: float
    cash: float
    open: bool


def trips(trades: pd.DataFrame) -> list[Trip]:
    """The round trips of a book: the finished ones in the order of their ends, then open ones.

    A round trip lasts from the fill that opens a position in a symbol to the fill that brings it
    back to 0 or turns it over; that last fill is split by size between the trip it ends and the
    trip it begins. Positions that are built up or taken down in parts are one trip.

    Args:
        trades: A book's fills in the order of filling, as `Result` describes them.
    """
    signed = np.where(trades["side"] == "buy", 1.0, -1.0) * trades["size"]
    fills = zip(trades["symbol"], signed, trades["price"], trades["fee"], strict=True)
    under_way: dict[str, _UnderWay] = {}
    finished = []
    for row, (symbol, size, price, fee) in enumerate(fills):
        trip = under_way.pop(symbol, None) or _UnderWay()
        turns = trip.turned_by(size)
        ending = -trip.units if turns else size
        share = ending / size
        trip.take(Part(row, share, ending, price), fee * share)
        if trip.open:
            under_way[symbol] = trip
            continue
        finished.append(trip.as_of(symbol))
        if turns:
            begun = under_way[symbol] = _UnderWay()
            begun.take(Part(row, 1.0 - share, size - ending, price), fee * (1.0 - share))
    return [*finished, *(trip.as_of(symbol) for symbol, trip in under_way.items())]


class _UnderWay:
    """A trip that takes fills: units held, the most it ever held, cash flow so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.units = self.largest = self.cash = 0.0

    @property
    def open(self) -> bool:
        return abs(self.units) > _RESIDUE * self.largest

    def turned_by(self, size: float) -> bool:
        beyond = abs(size) - abs(self.units)
        return size * self.units < 0 and beyond > _RESIDUE * self.largest

    def take(self, part: Part, fee: float) -> None:
        self.parts.append(part)
        self.units += part.size
        self.largest = max(self.largest, abs(self.units))
        self.cash = self.cash - part.size * part.price - fee

    def as_of(self, symbol: str) -> Trip:
        return Trip(symbol, tuple(self.parts), self.units, self.cash, self.open)

"""Fills to round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_FLAT_POSITION_TOLERANCE = 1e-9
"""A position below this part of the largest of its round trip is rounding: it is closed."""


@dataclass(frozen=True)
class PartialFill:
    """A fill, or the part of it that belongs to one trip.

    Attributes:
        fill_row: Its row in the table of fills.
        fill_share: What part of that fill it is, above 0, at most 1.
        size: Units, signed.
        price: Paid, slippage included.
    """

    fill_row: int
    fill_share: float
    size: float
    price: float


@dataclass(frozen=True)
class RoundTrip:
    """A round trip.

    Attributes:
        symbol: Of what.
        fills: Its fills in their order.
        units: Held after the last of them, signed; 0 but for rounding where it is finished.
        cash_flow: Cash flow, fees taken off: the profit of a finished trip. Money for an initial
            equity of 1.
        open: Whether it is under way still.
    """

    symbol: str
    fills: tuple[PartialFill, ...]
    units: float
    cash_flow: float
    open: bool


def match_fills(trades: pd.DataFrame) -> list[RoundTrip]:
    """The round trips of a book: the finished ones in the order of their ends, then open ones.

    A round trip lasts from the fill that opens a position in a symbol to the fill that brings it
    back to 0 or turns it over; that last fill is split by size between the trip it ends and the
    trip it begins. Positions that are built up or taken down in parts are one trip.

    Args:
        trades: A book's fills in the order of filling, as `Result` describes them.
    """
    signed = np.where(trades["side"] == "buy", 1.0, -1.0) * trades["size"]
    fills = zip(trades["symbol"], signed, trades["price"], trades["fee"], strict=True)
    under_way: dict[str, _OpenRoundTrip] = {}
    finished = []
    for row, (symbol, size, price, fee) in enumerate(fills):
        trip = under_way.pop(symbol, None) or _OpenRoundTrip()
        turns = trip.is_reversed_by(size)
        ending = -trip.units if turns else size
        share = ending / size
        trip.add_fill(PartialFill(row, share, ending, price), fee * share)
        if trip.open:
            under_way[symbol] = trip
            continue
        finished.append(trip.to_round_trip(symbol))
        if turns:
            begun = under_way[symbol] = _OpenRoundTrip()
            begun.add_fill(
                PartialFill(row, 1.0 - share, size - ending, price), fee * (1.0 - share)
            )
    return [*finished, *(trip.to_round_trip(symbol) for symbol, trip in under_way.items())]


class _OpenRoundTrip:
    """A trip that takes fills: units held, the most it ever held, cash flow so far."""

    def __init__(self) -> None:
        self.fills: list[PartialFill] = []
        self.units = self.max_units = self.cash_flow = 0.0

    @property
    def open(self) -> bool:
        return abs(self.units) > _FLAT_POSITION_TOLERANCE * self.max_units

    def is_reversed_by(self, size: float) -> bool:
        beyond = abs(size) - abs(self.units)
        return size * self.units < 0 and beyond > _FLAT_POSITION_TOLERANCE * self.max_units

    def add_fill(self, partial_fill: PartialFill, fee: float) -> None:
        self.fills.append(partial_fill)
        self.units += partial_fill.size
        self.max_units = max(self.max_units, abs(self.units))
        self.cash_flow = self.cash_flow - partial_fill.size * partial_fill.price - fee

    def to_round_trip(self, symbol: str) -> RoundTrip:
        return RoundTrip(symbol, tuple(self.fills), self.units, self.cash_flow, self.open)

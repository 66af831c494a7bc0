"""Matches the fills of a book into round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_FLAT_POSITION_TOLERANCE = 1e-9
"""A position below this fraction of the largest one of its round trip counts as closed."""


class PartialFill(NamedTuple):
    """A fill, or the part of a fill that belongs to one round trip.

    Attributes:
        fill_row: Row of the fill in the table of fills.
        fill_share: Share of that fill, above 0, at most 1.
        size: Units, signed.
        price: Price paid, slippage included.
    """

    fill_row: int
    fill_share: float
    size: float
    price: float


@dataclass(frozen=True)
class RoundTrip:
    """A position in one symbol from its first fill to the fill that closes it.

    Attributes:
        symbol: Symbol traded.
        fills: Fills in their order.
        units: Units held after the last fill, signed; 0 but for rounding where it is finished.
        cash_flow: Cash flow net of fees: the profit of a finished round trip. Money for an initial
            equity of 1.
        open: Whether the position is still held.
    """

    symbol: str
    fills: tuple[PartialFill, ...]
    units: float
    cash_flow: float
    open: bool


def match_fills(trades: pd.DataFrame) -> list[RoundTrip]:
    """The round trips of a book: the finished ones in the order of their ends, then open ones.

    A round trip lasts from the fill that opens a position in a symbol to the fill that closes or
    reverses it. A fill that reverses a position is split by size between the round trip that it
    ends and the one that it opens. A position that is increased or reduced in parts is one trip.

    Args:
        trades: Fills of a book in the order of filling, as `SimulationResult` describes them.
    """
    signed = np.where(trades["side"] == "buy", 1.0, -1.0) * trades["size"]
    fills = zip(trades["symbol"], signed, trades["price"], trades["fee"], strict=True)
    open_trips: dict[str, _OpenRoundTrip] = {}
    finished = []
    for row, (symbol, size, price, fee) in enumerate(fills):
        trip = open_trips.pop(symbol, None) or _OpenRoundTrip()
        reverses = trip.is_reversed_by(size)
        closing = -trip.units if reverses else size
        share = closing / size
        trip.add_fill(PartialFill(row, share, closing, price), fee * share)
        if trip.open:
            open_trips[symbol] = trip
            continue
        finished.append(trip.to_round_trip(symbol))
        if reverses:
            opened = open_trips[symbol] = _OpenRoundTrip()
            opened.add_fill(
                PartialFill(row, 1.0 - share, size - closing, price), fee * (1.0 - share)
            )
    return [*finished, *(trip.to_round_trip(symbol) for symbol, trip in open_trips.items())]


class _OpenRoundTrip:
    """A round trip in progress: units held, the most units held, cash flow so far."""

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

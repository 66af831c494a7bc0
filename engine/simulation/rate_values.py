"""Values of a charge: one number, one a symbol, or a row a bar; and what is computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.simulation.accounting import MAX_FILL_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector, Matrix, Vector, WideFrame

    Values: TypeAlias = npt.NDArray[np.float64]

T = TypeVar("T")

Tier: TypeAlias = tuple[float, float, bool]
"""Threshold, what each unit or money above it adds to the fee, and whether it is of units."""


@dataclass(frozen=True)
class BySymbol(Generic[T]):
    """One value for every symbol, and other ones for some.

    Attributes:
        default: Of every symbol that is not named.
        named: Symbol -> its value.
    """

    default: T
    named: Mapping[str, T] = field(default_factory=dict)

    def of(self, symbol: str) -> T:
        """The value of a symbol."""
        return self.named.get(symbol, self.default)


Rate: TypeAlias = "float | BySymbol[float] | WideFrame"
"""One number for all of a market, one a symbol, or wide: a row a bar, a column a symbol."""


class BarRates(NamedTuple):
    """What an order of one bar and symbol pays; money and units for an initial equity of 1.

    The fields are those of `accounting.tables.OrderCosts`, the borrow rate and the funding.
    """

    fee: float
    slippage: float
    borrow_per_year: float
    per_unit: float = 0.0
    minimum: float = 0.0
    maximum: float = np.inf
    impact: float = 0.0
    limit: float = np.inf
    funding_to_open: float = 0.0
    funding_to_close: float = 0.0
    tiers: tuple[tuple[float, float, float], ...] = ()

    def funding(self, price: Literal["open", "close"]) -> tuple[float, float]:
        """The funding rates due before and after the fills of the bar, made at that price."""
        return funding_by_fill(self.funding_to_open, self.funding_to_close, price)


_Due = TypeVar("_Due", float, "Matrix")


def funding_by_fill(
    to_open: _Due, to_close: _Due, price: Literal["open", "close"]
) -> tuple[_Due, _Due]:
    """What is due before and after a fill at the open, or at the close, of a bar."""
    return (to_open, to_close) if price == "open" else (to_open + to_close, 0.0 * to_close)


def values_of(rate: Rate) -> Values:
    """Every value of a table."""
    if isinstance(rate, BySymbol):
        return np.array([rate.default, *rate.named.values()], dtype=np.float64)
    return np.asarray(rate, dtype=np.float64)


def is_all(rate: Rate, value: float) -> bool:
    """Whether every value of a table is this one."""
    return bool((values_of(rate) == value).all())


def scale_rate(rate: Rate, factor: float) -> Rate:
    """Every value, multiplied."""
    if isinstance(rate, BySymbol):
        named = {symbol: own * factor for symbol, own in rate.named.items()}
        return BySymbol(rate.default * factor, named)
    return rate * factor


def scale_tiers(tiers: tuple[Tier, ...], factor: float) -> tuple[Tier, ...]:
    """The tiers with their slopes multiplied."""
    return tuple((threshold, slope * factor, units) for threshold, slope, units in tiers)


def cut_rate(rate: Rate) -> Rate:
    """Every value, at most `MAX_FILL_RATE`."""
    if isinstance(rate, pd.DataFrame):
        return rate.clip(upper=MAX_FILL_RATE)
    if isinstance(rate, BySymbol):
        named = {symbol: min(own, MAX_FILL_RATE) for symbol, own in rate.named.items()}
        return BySymbol(min(rate.default, MAX_FILL_RATE), named)
    return min(rate, MAX_FILL_RATE)


def pick_cells(table: Matrix, rows: IntVector, columns: IntVector) -> Vector:
    """Values of fills, of a table of one row or a row a bar."""
    picked: Vector = table[rows if len(table) > 1 else 0, columns]
    return picked

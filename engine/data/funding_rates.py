"""Funding rates of perpetual contracts beside the bars of a market."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.sessions import index_to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector, Vector

_LONGEST_USUAL_CADENCE_US = 8 * 3_600_000_000
"""Eight hours, the longest time between two payments that most exchanges have."""

_GAP = 1.5
"""A time between two payments of more than so many cadences lacks one."""


@dataclass(frozen=True, eq=False)
class SymbolFunding:
    """The payments of one perpetual, in the order of time.

    Attributes:
        instants: When each was due, microseconds since 1970, UTC, shape (m,).
        rates: Fraction of a position's value that longs pay to shorts, shape (m,).
    """

    instants: IntVector
    rates: Vector

    @classmethod
    def from_frame(cls, stamps: pd.DatetimeIndex, rates: Vector) -> SymbolFunding:
        """Of ascending timestamps, UTC."""
        return cls(index_to_microseconds(stamps), np.asarray(rates, dtype=np.float64))

    def until(self, instant: int) -> SymbolFunding:
        """The payments that were due by an instant."""
        count = int(np.searchsorted(self.instants, instant, side="right"))
        return SymbolFunding(self.instants[:count], self.rates[:count])

    def replace_after(self, instant: int, rng: np.random.Generator) -> SymbolFunding:
        """Other rates after an instant, none of which equals the one that it replaces."""
        rates, later = self.rates.copy(), self.instants > instant
        size = max(float(np.abs(rates).mean()) if len(rates) else 0.0, 1e-5)
        rates[later] += size * rng.uniform(0.5, 1.5, int(later.sum()))
        return SymbolFunding(self.instants, rates)

    @property
    def cadence(self) -> int:
        """The usual time between two payments, at least eight hours, microseconds."""
        if len(self.instants) < 2:
            return _LONGEST_USUAL_CADENCE_US
        return max(_LONGEST_USUAL_CADENCE_US, int(np.median(np.diff(self.instants))))

    def gaps(self) -> tuple[IntVector, IntVector]:
        """The spans in which payments are missing, microseconds, both ends among them.

        Where two payments are more than one and a half cadences apart, the span is from a cadence
        after the first to a cadence before the second. Before the first payment of all it ends a
        cadence before, and after the last it begins a cadence after.

        Returns:
            Their begins and ends, ascending.
        """
        limits = np.iinfo(np.int64)
        if not len(self.instants):
            return np.array([limits.min]), np.array([limits.max])
        wide = np.flatnonzero(np.diff(self.instants) > _GAP * self.cadence)
        begins = self.instants[wide] + self.cadence
        ends = np.maximum(begins, self.instants[wide + 1] - self.cadence)
        first, last = self.instants[0] - self.cadence, self.instants[-1] + self.cadence
        return (
            np.concatenate([[limits.min], begins, [last]]),
            np.concatenate([[first], ends, [limits.max]]),
        )

    def as_json(self) -> dict[str, Any]:
        """`rates`, how many, and their `sha256`, for the provenance of a market."""
        digest = hashlib.sha256(self.instants.astype("<i8").tobytes())
        digest.update(self.rates.astype("<f8").tobytes())
        return {"rates": len(self.rates), "sha256": digest.hexdigest()}


@dataclass(frozen=True, eq=False)
class FundingRates:
    """The payments of the perpetuals of a market.

    Attributes:
        by_symbol: Symbol -> its payments; a symbol that has none known is left out.
    """

    by_symbol: Mapping[str, SymbolFunding]

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> FundingRates:
        """Of columns timestamp, symbol and rate, as `load_funding_rates` returns them."""
        found = {}
        for symbol, rows in table.groupby("symbol", sort=False):
            stamps = rows["timestamp"].sort_values()
            rates = rows.loc[stamps.index, "rate"].to_numpy(dtype=np.float64)
            found[str(symbol)] = SymbolFunding.from_frame(pd.DatetimeIndex(stamps), rates)
        return cls(found)

    def of(self, symbol: str) -> SymbolFunding:
        """The payments of a symbol; none where they are not known."""
        nothing = SymbolFunding(np.zeros(0, dtype=np.int64), np.zeros(0))
        return self.by_symbol.get(symbol, nothing)

    def until(self, instant: int) -> FundingRates:
        """The payments that were due by an instant, microseconds since 1970."""
        return FundingRates({s: own.until(instant) for s, own in self.by_symbol.items()})

    def replace_after(self, instant: int, rng: np.random.Generator) -> FundingRates:
        """Other rates after an instant, microseconds since 1970."""
        return FundingRates(
            {s: own.replace_after(instant, rng) for s, own in self.by_symbol.items()}
        )

    def as_json(self) -> dict[str, Any]:
        """Symbol -> number and hash of its rates."""
        return {symbol: own.as_json() for symbol, own in self.by_symbol.items()}

"""How a book is divided over its symbols at one close."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.core.types import Spec

if TYPE_CHECKING:
    from engine.core.types import BoolVector, IntVector, Matrix, Vector


@dataclass(frozen=True, eq=False)
class PortfolioRow:
    """What is known of m symbols at one close.

    Attributes:
        symbols: Their names, which settle ties of some of the forecasts.
        predicted: (m,) predicted simple return of each; NaN where there is no forecast.
        positions: (m,) by the signal: 1 long, 0 flat, -1 short.
        sizes: (m,) by the sizing: share of the equity, 0 or more.
        closes: (k, m) the last closes up to this one, at least `closes_needed`; NaN where a
            symbol has none.
        absent: (m,) whether no forecast of it is due; None where one of each is.
        halted: (m,) whether it is absent and keeps its weight.
        before: (m,) weights before this close; None where there are none.
        horizon: Bars that the predicted returns are over.
    """

    symbols: tuple[str, ...]
    predicted: Vector
    positions: Vector
    sizes: Vector
    closes: Matrix
    absent: BoolVector | None = None
    halted: BoolVector | None = None
    before: Vector | None = None
    horizon: int = 1

    @property
    def trading(self) -> PortfolioRow:
        """The same without the positions of the symbols that are halted."""
        if self.halted is None:
            return self
        return replace(self, positions=np.where(self.halted, 0.0, self.positions))

    @property
    def shares(self) -> int:
        """Symbols that may have a share: those with a forecast, and those that are halted."""
        if self.absent is None or self.halted is None:
            return len(self.positions)
        return max(int((~self.absent | self.halted).sum()), 1)

    def highest(self) -> IntVector:
        """The symbols that have a forecast, the highest first; equal ones by name.

        None where several are known and all are equal: they say nothing of which to hold.
        """
        known = np.flatnonzero(np.isfinite(self.predicted))
        if len(known) > 1 and (self.predicted[known] == self.predicted[known[0]]).all():
            return known[:0]
        names = np.array(self.symbols)[known]
        return known[np.lexsort((names, -self.predicted[known]))]


class AllocationSpec(Spec, ABC):
    """A choice of shares.

    Attributes:
        by_rank: Whether forecasts are compared with each other, instead of with the thresholds of
            the signal.
        is_optimised: Whether the shares are an optimum, which there may not be.
        libraries: Distributions that shape the shares.
    """

    by_rank: ClassVar[bool] = False
    is_optimised: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @property
    def closes_needed(self) -> int:
        """Closes that the shares of a bar are computed from, its own included."""
        return 0

    @property
    def returns_window(self) -> int | None:
        """Returns without enough of which a symbol is left out; None where none is left out."""
        return None

    @property
    def symbols_needed(self) -> int:
        """Target symbols that there must be for the shares to depend on the forecasts."""
        return 1

    @abstractmethod
    def divide(self, row: PortfolioRow) -> Vector | None:
        """The weights of one close before limits, from what is known at it.

        Returns:
            (m,) without NaN; the absolute values add up to the largest size at most. None where
            the shares are an optimum and there is none.
        """


class EqualAllocation(AllocationSpec):
    """Every symbol has the same share, whether it is held or not.

    With m symbols a position has the m-th part of its size; what is not used is cash.
    """

    kind: Literal["equal"] = "equal"

    def divide(self, row: PortfolioRow) -> Vector:
        """Position times size over the number of symbols that may have a share."""
        weights: Vector = row.positions * row.sizes / row.shares
        return weights


class ProportionalAllocation(AllocationSpec):
    """The symbols that are held share the book by the size of their forecasts."""

    kind: Literal["proportional"] = "proportional"

    def divide(self, row: PortfolioRow) -> Vector:
        """|forecast| over the sum of those of all positions."""
        return _divide_by(np.abs(row.predicted), row)


class InverseVolatilityAllocation(AllocationSpec):
    """The symbols that are held share the book by 1 / volatility of their past returns.

    A symbol whose close did not move over the window has no volatility, and no share.

    Attributes:
        window: Returns of the volatility, the latest one included.
    """

    kind: Literal["inverse_volatility"] = "inverse_volatility"
    window: int = Field(default=60, ge=2, le=5000)

    @property
    def closes_needed(self) -> int:
        """One more than returns."""
        return self.window + 1

    def divide(self, row: PortfolioRow) -> Vector:
        """1 / the standard deviation of log returns, over the sum of those of all positions."""
        # In one order in memory, as NumPy's logarithm may round otherwise in another.
        closes = np.ascontiguousarray(row.closes[-self.closes_needed :])
        returns = np.diff(np.log(closes), axis=0)
        if len(returns) < self.window:
            return np.zeros(len(row.positions))
        deviation = np.array([own.std() for own in np.ascontiguousarray(returns.T)])
        with np.errstate(divide="ignore"):
            inverse = np.where(deviation > 0, 1.0 / deviation, 0.0)
        return _divide_by(inverse, row)


class TopAllocation(AllocationSpec):
    """The symbols with the highest forecasts, equally, long.

    Attributes:
        count: How many; all that have a forecast where they are fewer, each with the same share.
    """

    by_rank: ClassVar[bool] = True
    kind: Literal["top_k"] = "top_k"
    count: int = Field(default=10, ge=1, le=10_000)

    @property
    def symbols_needed(self) -> int:
        """One more than are held."""
        return self.count + 1

    def divide(self, row: PortfolioRow) -> Vector:
        """The `count`-th part of the size for each of them."""
        weights = np.zeros(len(row.predicted))
        chosen = row.highest()[: self.count]
        weights[chosen] = row.sizes[chosen] / self.count
        return weights


class LongShortAllocation(AllocationSpec):
    """The highest forecasts long and as many of the lowest short, equally; both sides alike.

    Attributes:
        quantile: Share of the symbols with a forecast on each side, rounded down; one symbol at
            least, and never more than half of them.
    """

    by_rank: ClassVar[bool] = True
    kind: Literal["long_short"] = "long_short"
    quantile: float = Field(default=0.2, gt=0, le=0.5)

    @property
    def symbols_needed(self) -> int:
        """One for each side."""
        return 2

    def divide(self, row: PortfolioRow) -> Vector:
        """Half of the size for each side."""
        weights = np.zeros(len(row.predicted))
        ranked = row.highest()
        count = min(max(1, int(self.quantile * len(ranked))), len(ranked) // 2)
        if count:
            for chosen, side in ((ranked[:count], 1.0), (ranked[-count:], -1.0)):
                weights[chosen] = side * row.sizes[chosen] / (2 * count)
        return weights


def _divide_by(score: Vector, row: PortfolioRow) -> Vector:
    """Each position's size times its part of the scores of all positions."""
    held = np.where((row.positions != 0) & np.isfinite(score), score, 0.0)
    total = float(held.sum())
    if total <= 0:
        return np.zeros(len(held))
    weights: Vector = row.positions * row.sizes * (held / total)
    return weights

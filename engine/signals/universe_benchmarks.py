"""Benchmark rules for several symbols of one book, which is rebalanced as a strategy's is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from engine.portfolio import (
    LongShortAllocation,
    MinimumVarianceAllocation,
    ProportionalAllocation,
    TopAllocation,
)
from engine.signals.benchmarks import UniverseRule

if TYPE_CHECKING:
    from engine.core.types import Matrix, WideFrame
    from engine.portfolio import Allocation


class EqualWeight(UniverseRule):
    """Every symbol has the same share at each rebalancing.

    What the prices moved in between is traded back; `buy_and_hold` leaves it.
    """

    trades_back: ClassVar[bool] = True
    kind: Literal["equal_weight"] = "equal_weight"

    def compute_scores(self, close: WideFrame) -> Matrix:
        """One for every symbol."""
        return np.ones(close.shape)

    def make_allocation(self, _: int) -> Allocation:
        """Shares by equal scores."""
        return ProportionalAllocation()


class MinimumVariance(UniverseRule):
    """All symbols, long, with the smallest variance of the book over past bars.

    Nothing is held before there are `window` returns.

    Attributes:
        window: Simple returns of the covariance (Ledoit-Wolf), the latest one included.
    """

    is_optimised: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = MinimumVarianceAllocation.libraries
    kind: Literal["min_variance"] = "min_variance"
    window: int = Field(default=252, ge=10, le=5000)

    def compute_scores(self, close: WideFrame) -> Matrix:
        """One for every symbol."""
        return np.ones(close.shape)

    def make_allocation(self, _: int) -> Allocation:
        """The optimum of the window."""
        return MinimumVarianceAllocation(window=self.window)


class Momentum(UniverseRule):
    """The symbols that rose most over a year, without its last month: 12-1 momentum.

    The score at a close is close[-skip] / close[-window] - 1, counted back from it. Nothing is
    held before there are so many closes.

    Source: Jegadeesh and Titman (1993), Returns to buying winners and selling losers, Journal of
    Finance 48.

    Attributes:
        window: Bars back to the beginning of the return.
        skip: Bars back to its end; below `window`.
        quantile: Share of the symbols that is held, one at least, all alike.
        side: `long_only`, or `long_short` for half of the book in the highest, and half short in
            the lowest.
    """

    kind: Literal["momentum"] = "momentum"
    window: int = Field(default=252, ge=2, le=5000)
    skip: int = Field(default=21, ge=0, le=5000)
    quantile: float = Field(default=0.2, gt=0, le=0.5)
    side: Literal["long_only", "long_short"] = "long_only"

    @model_validator(mode="after")
    def _check_skip_below_window(self) -> Momentum:
        if self.skip >= self.window:
            raise ValueError(f"skip ({self.skip}) must be below window ({self.window})")
        return self

    def compute_scores(self, close: WideFrame) -> Matrix:
        """The return over the window without its last bars."""
        return _past_return(close, self.window, self.skip)

    def make_allocation(self, symbols: int) -> Allocation:
        """The highest quantile, or both."""
        return _divide_by_rank(symbols, self.quantile, self.side)


class ShortTermReversal(UniverseRule):
    """The symbols that fell most over the last bars.

    The score at a close is 1 - close / close[-window]. Nothing is held before there are so many
    closes.

    Source: Jegadeesh (1990), Evidence of predictable behavior of security returns, Journal of
    Finance 45.

    Attributes:
        window: Bars of the return.
        quantile: Share of the symbols that is held, one at least, all alike.
        side: `long_only`, or `long_short` for half of the book in those that fell most, and half
            short in those that rose most.
    """

    kind: Literal["short_term_reversal"] = "short_term_reversal"
    window: int = Field(default=5, ge=1, le=1000)
    quantile: float = Field(default=0.2, gt=0, le=0.5)
    side: Literal["long_only", "long_short"] = "long_only"

    def compute_scores(self, close: WideFrame) -> Matrix:
        """The negative return over the window."""
        return -_past_return(close, self.window, 0)

    def make_allocation(self, symbols: int) -> Allocation:
        """The highest quantile, or both."""
        return _divide_by_rank(symbols, self.quantile, self.side)


def _past_return(close: WideFrame, window: int, skip: int) -> Matrix:
    """(n, m) simple returns from `window` to `skip` bars before each close; NaN where unknown."""
    values = close.to_numpy(dtype=np.float64)
    found = np.full(values.shape, np.nan)
    if len(values) > window:
        found[window:] = values[window - skip : len(values) - skip] / values[:-window] - 1.0
    return found


def _divide_by_rank(symbols: int, quantile: float, side: str) -> Allocation:
    if side == "long_short":
        return LongShortAllocation(quantile=quantile)
    return TopAllocation(count=max(1, int(quantile * symbols)))

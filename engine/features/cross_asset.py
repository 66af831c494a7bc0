"""Features of one symbol relative to another of the dataset, which is named in the strategy.

Both have a bar at every timestamp of a market. For the other symbol itself such a feature is
constant: a spread and a relative strength of 0, a beta and a correlation of 1 (0 while its price
is constant); scaling makes that 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from engine.core.errors import UsageError
from engine.features.base import FeatureSpec, RollingWindow
from engine.features.price import log_returns
from engine.features.rolling import covariance, zscore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Vector
    from engine.data.next_bar import NextBar
    from engine.features.symbol_states import SymbolStates
    from engine.features.window_state import FeatureState

PairWindow = Annotated[int, Field(ge=10, le=1000)]
"""Bars of a slope or a correlation of two symbols; of fewer it is noise."""


class CrossAsset(FeatureSpec, ABC):
    """A feature of the closes of two symbols.

    Attributes:
        kind: Kind of the feature; the first part of its name.
        symbol: The other symbol, of the same dataset.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: str
    symbol: str = Field(min_length=1)

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The required columns of both."""
        others = (f"{self.symbol}:{column}" for column in self.required_columns)
        return *self.required_columns, *others

    @abstractmethod
    def compute_values(self, close: Vector, other: Vector) -> Vector:
        """The values; those in the first `warmup` rows are discarded.

        Args:
            close: Shape (n,), or (n, k) of k symbols, whose values have the bits that each has
                alone.
            other: The same shape.
        """

    def compute(self, bars: pd.DataFrame, other: pd.DataFrame) -> pd.Series[float]:
        """The feature at each bar.

        Args:
            bars: One symbol's bars, as in `Indicator.compute`.
            other: Bars of `symbol`, at the same timestamps.

        Returns:
            float64 with the index of `bars`, named `name`; NaN in the first `warmup` rows.
        """
        values = self.compute_values(bars["close"].to_numpy(), other["close"].to_numpy())
        return self._mask_warmup(pd.Series(values, index=bars.index))

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame, other: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature at the bars that follow those seen so far.

        Args:
            state: What an earlier call returned; None at the first bars of a history.
            bars: One or more new bars of one symbol, as in `compute`.
            other: Those of `symbol`.

        Returns:
            The next state, and the values at these bars.
        """
        return self._update_on_window(state, (bars, other), lambda tables: self.compute(*tables))

    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol relative to the other.

        Raises:
            UsageError: The market does not have the other symbol.
        """
        self._check_market(market)
        return self.compute(market[symbol], market[self.symbol])

    def update_for_symbol(
        self, state: FeatureState | None, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature of one symbol relative to the other, at their new bars.

        Raises:
            UsageError: The market does not have the other symbol.
        """
        self._check_market(market)
        return self.update(state, market[symbol], market[self.symbol])

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The feature of one symbol relative to the other at a single bar."""
        kept, (close, other) = self._append_bar(state, bar, (symbol, self.symbol))
        return kept, float(self.compute_values(close, other)[-1])

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The feature of several symbols relative to the other at a single bar."""
        others = (self.symbol,) * len(symbols)
        kept, (close, other) = self._append_bars(states, bar, (symbols, others))
        return kept, self.compute_values(close, other)[-1]

    def _check_market(self, market: Mapping[str, pd.DataFrame]) -> None:
        if self.symbol not in market:
            raise UsageError(
                "a feature needs a symbol that is not in the dataset",
                expected=f"one of {', '.join(market)}",
                found=self.symbol,
                where=f"features: {self.name}",
                fix=f"choose one of them, add {self.symbol} to the dataset, or choose another "
                "dataset with --data",
            )


class SpreadZscore(CrossAsset):
    """Rolling z-score of the spread of log prices, ln(close / other close).

    The distance of two prices in standard deviations of the last `window` bars, as in pairs
    trading (Gatev, Goetzmann & Rouwenhorst 2006, Rev. Financial Studies 19). The level of the
    spread depends on the unit of prices and is removed. It is 0 where the spread is constant.

    Attributes:
        window: Bars of the mean and of the standard deviation.
    """

    kind: Literal["spread_zscore"] = "spread_zscore"
    window: RollingWindow = 60

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def compute_values(self, close: Vector, other: Vector) -> Vector:
        """The z-score of the spread at each bar."""
        return zscore(np.log(close) - np.log(other), self.window)


class RelativeStrength(CrossAsset):
    """Log return over `periods` bars, minus that of the other symbol.

    It is positive where this symbol outperformed; after Levy (1967, J. of Finance 22), who ranks
    stocks by relative performance.

    Attributes:
        periods: Bars between the two closes.
    """

    kind: Literal["relative_strength"] = "relative_strength"
    periods: int = Field(default=20, ge=1, le=1000)

    @property
    def warmup(self) -> int:
        """The first return needs the close `periods` bars before."""
        return self.periods

    def compute_values(self, close: Vector, other: Vector) -> Vector:
        """The difference of the returns at each bar."""
        return log_returns(close, self.periods) - log_returns(other, self.periods)


class Beta(CrossAsset):
    """Slope of the least-squares line of log returns on those of the other symbol.

    Cov(r, r_other) / Var(r_other) of the last `window` bars: the market model's beta where the
    other symbol is the market (Sharpe 1963, Management Science 9; rolling as in Fama & MacBeth
    1973). It is 0 where either price is constant.

    Attributes:
        window: Bars of the window.
    """

    kind: Literal["beta"] = "beta"
    window: PairWindow = 60

    @property
    def warmup(self) -> int:
        """`window` returns need `window` + 1 closes."""
        return self.window

    def compute_values(self, close: Vector, other: Vector) -> Vector:
        """The slope at each bar."""
        own, market = log_returns(close), log_returns(other)
        variance = covariance(market, market, self.window)
        return covariance(own, market, self.window) / np.where(variance == 0.0, np.inf, variance)


class Correlation(CrossAsset):
    """Correlation of log returns with those of the other symbol (Pearson), in [-1, 1].

    Over the last `window` bars; It is 0 where either price is constant.

    Attributes:
        window: Bars of the window.
    """

    kind: Literal["correlation"] = "correlation"
    window: PairWindow = 60

    @property
    def warmup(self) -> int:
        """`window` returns need `window` + 1 closes."""
        return self.window

    def compute_values(self, close: Vector, other: Vector) -> Vector:
        """The correlation at each bar."""
        own, market = log_returns(close), log_returns(other)
        squares = covariance(own, own, self.window) * covariance(market, market, self.window)
        scale = np.where(squares == 0.0, np.inf, np.sqrt(squares))
        return np.clip(covariance(own, market, self.window) / scale, -1.0, 1.0)

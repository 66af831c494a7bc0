"""Features of single bars and of returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from engine.features.base import Indicator, RollingWindow
from engine.features.rolling import mean_and_deviation

if TYPE_CHECKING:
    from engine.core.types import Vector


def log_returns(close: Vector, periods: int = 1) -> Vector:
    """ln(close_t / close_{t-periods}), shape (n,); NaN in the first `periods` rows."""
    returns = np.full(len(close), np.nan)
    returns[periods:] = np.log(close[periods:] / close[:-periods])
    return returns


class SimpleReturn(Indicator):
    """Simple return over `periods` bars: close_t / close_{t-periods} - 1.

    Attributes:
        periods: Bars between the two closes.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["return"] = "return"
    periods: int = Field(default=1, ge=1, le=1000)

    @property
    def warmup(self) -> int:
        """The first return needs the close `periods` bars before."""
        return self.periods

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The return at each bar."""
        return bars["close"] / bars["close"].shift(self.periods) - 1.0


class LogReturn(Indicator):
    """Log return over `periods` bars: ln(close_t / close_{t-periods}).

    Attributes:
        periods: Bars between the two closes.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["log_return"] = "log_return"
    periods: int = Field(default=1, ge=1, le=1000)

    @property
    def warmup(self) -> int:
        """The first return needs the close `periods` bars before."""
        return self.periods

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The return at each bar."""
        return pd.Series(log_returns(bars["close"].to_numpy(), self.periods), index=bars.index)


class HighLowRange(Indicator):
    """The bar's range in units of its close: (high - low) / close."""

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    kind: Literal["range"] = "range"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The range of each bar."""
        return (bars["high"] - bars["low"]) / bars["close"]


class Volatility(Indicator):
    """Standard deviation of the last `window` log returns, per bar (divisor `window` - 1).

    Attributes:
        window: Number of returns.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["volatility"] = "volatility"
    window: RollingWindow = 20

    @property
    def warmup(self) -> int:
        """`window` returns need `window` + 1 closes."""
        return self.window

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The deviation of the last returns at each bar."""
        returns = log_returns(bars["close"].to_numpy())
        return pd.Series(mean_and_deviation(returns, self.window, ddof=1)[1], index=bars.index)

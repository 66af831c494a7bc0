"""Features of single bars and of returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from engine.features.base import RollingWindow, WindowIndicator
from engine.features.rolling import describe_window, mean_and_deviation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Matrix, Vector


def log_returns(close: Vector | Matrix, periods: int = 1) -> Vector | Matrix:
    """ln(close_t / close_{t-periods}), shape (n,) or (n, k); NaN in the first `periods` rows."""
    returns = np.full(close.shape, np.nan)
    returns[periods:] = np.log(close[periods:] / close[:-periods])
    return returns


class SimpleReturn(WindowIndicator):
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

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The return at each bar."""
        close = columns["close"]
        returns = np.full(close.shape, np.nan)
        returns[self.periods :] = close[self.periods :] / close[: -self.periods] - 1.0
        return returns

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The return at the last bar."""
        close = columns["close"]
        return float(close[-1] / close[0] - 1.0)


class LogReturn(WindowIndicator):
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

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The return at each bar."""
        return log_returns(columns["close"], self.periods)

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The return at the last bar."""
        close = columns["close"]
        return float(np.log(close[-1] / close[0]))


class HighLowRange(WindowIndicator):
    """The bar's range in units of its close: (high - low) / close."""

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    kind: Literal["range"] = "range"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The range of each bar."""
        return (columns["high"] - columns["low"]) / columns["close"]

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The range of the last bar."""
        return (float(columns["high"][-1]) - float(columns["low"][-1])) / float(
            columns["close"][-1]
        )


class Volatility(WindowIndicator):
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

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The deviation of the last returns at each bar."""
        returns = log_returns(columns["close"])
        return mean_and_deviation(returns, self.window, ddof=1)[1]

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The deviation of the last returns at the last bar."""
        close = columns["close"]
        return describe_window(np.log(close[1:] / close[:-1]), ddof=1)[1]

"""Regime labels from past bars only: -1, 0 or 1.

No label is fitted or smoothed over the whole history: later bars never change a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.features.base import RollingWindow, WindowIndicator
from engine.features.price import log_returns
from engine.features.rolling import mean_and_deviation, midrank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector


class VolatilityRegime(WindowIndicator):
    """Low (-1), medium (0) or high (1) volatility: its tercile in the recent history.

    The standard deviation of the last `window` log returns is ranked among the last `history` such
    values, the current one included, with mean ranks for ties. The history is rolling: an
    expanding one would depend on the first bar. The label is 0 where all are equal. Terciles are a
    choice of this engine: hidden states (Hamilton 1989, Econometrica 57) are usually smoothed over
    later bars.

    Attributes:
        window: Returns of each standard deviation.
        history: Number of standard deviations in the ranking.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["volatility_regime"] = "volatility_regime"
    window: RollingWindow = 20
    history: int = Field(default=252, ge=20, le=5000)

    @property
    def warmup(self) -> int:
        """`window` returns for each deviation, and `history` - 1 more for the ranking."""
        return self.window + self.history - 1

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The tercile at each bar."""
        returns = log_returns(columns["close"])
        deviation = mean_and_deviation(returns, self.window, ddof=1)[1]
        rank = midrank(deviation, self.history)
        third = 2.0 * self.history
        return np.where(3.0 * rank > 2.0 * third, 1.0, np.where(3.0 * rank < third, -1.0, 0.0))


class TrendRegime(WindowIndicator):
    """Down (-1), none (0) or up (1): the sign of a mean return that exceeds its standard error.

    The mean of the last `window` log returns over its standard error, deviation / sqrt(window),
    against `threshold`. The sign of the past return is the signal of Moskowitz, Ooi & Pedersen
    (2012, J. Financial Economics 104); the threshold excludes trends that noise can explain.

    Attributes:
        window: Returns of the mean and of its standard error.
        threshold: Least absolute mean return of a trend, in standard errors.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["trend_regime"] = "trend_regime"
    window: RollingWindow = 60
    threshold: float = Field(default=1.0, ge=0)

    @property
    def warmup(self) -> int:
        """`window` returns need `window` + 1 closes."""
        return self.window

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The trend at each bar."""
        returns = log_returns(columns["close"])
        mean, deviation = mean_and_deviation(returns, self.window, ddof=1)
        error = self.threshold * deviation / np.sqrt(self.window)
        return np.where(np.abs(mean) > error, np.sign(mean), 0.0)

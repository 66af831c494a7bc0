"""Labels of the state a market is in, from its past alone: -1, 0 or 1.

No label is fitted or smoothed over the whole history: a label, once given, never changes.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from engine.features.base import Indicator, RollingWindow
from engine.features.price import log_returns
from engine.features.rolling import mean_and_deviation, midrank


class VolatilityRegime(Indicator):
    """Calm (-1), usual (0) or turbulent (1): the tercile of the volatility among its latest.

    The standard deviation of the last `window` log returns is ranked among the last `history` of
    them, this one included, ties at their mean rank. The history rolls: an expanding one would
    depend on which bar came first. 0 where all are equal. The terciles are this engine's own:
    hidden states (Hamilton 1989, Econometrica 57) are smoothed over bars to come, as a rule.

    Attributes:
        window: Returns of each deviation.
        history: Deviations that the newest is ranked among.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["volatility_regime"] = "volatility_regime"
    window: RollingWindow = 20
    history: int = Field(default=252, ge=20, le=5000)

    @property
    def warmup(self) -> int:
        """`window` returns need one close more, and `history` deviations as many less one."""
        return self.window + self.history - 1

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        returns = log_returns(bars["close"].to_numpy())
        deviation = mean_and_deviation(returns, self.window, ddof=1)[1]
        rank = midrank(deviation, self.history)
        third = 2.0 * self.history
        label = np.where(3.0 * rank > 2.0 * third, 1.0, np.where(3.0 * rank < third, -1.0, 0.0))
        return pd.Series(label, index=bars.index)


class TrendRegime(Indicator):
    """Falling (-1), without a trend (0) or rising (1): the sign of a mean return that stands out.

    The mean of the last `window` log returns over its standard error, deviation / sqrt(window),
    against `threshold`. The sign of the past return is the signal of Moskowitz, Ooi & Pedersen
    (2012, J. Financial Economics 104); the threshold leaves out trends that noise explains.

    Attributes:
        window: Returns of the mean and of its standard error.
        threshold: Standard errors from 0 at which a mean return stands out.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["trend_regime"] = "trend_regime"
    window: RollingWindow = 60
    threshold: float = Field(default=1.0, ge=0)

    @property
    def warmup(self) -> int:
        """`window` returns need one close more."""
        return self.window

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        returns = log_returns(bars["close"].to_numpy())
        mean, deviation = mean_and_deviation(returns, self.window, ddof=1)
        error = self.threshold * deviation / np.sqrt(self.window)
        label = np.where(np.abs(mean) > error, np.sign(mean), 0.0)
        return pd.Series(label, index=bars.index)

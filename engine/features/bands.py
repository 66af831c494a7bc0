"""Bollinger bands: the mean of the last closes, plus and minus `deviations` standard deviations.

ta computes the same bands from pandas' running deviation, which is 26 % off after a price fell to
a millionth; see `engine.features.rolling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd
from pydantic import Field

from engine.features.base import Indicator, RollingWindow
from engine.features.rolling import mean_and_deviation, zscore

if TYPE_CHECKING:
    from engine.core.types import Vector


class BollingerPercent(Indicator):
    """Bollinger %B: (close - lower band) / (upper band - lower band); 0.5 without width.

    Attributes:
        window: Bars of the mean and of the standard deviation.
        deviations: Standard deviations from the mean to either band.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["bollinger_percent"] = "bollinger_percent"
    window: RollingWindow = 20
    deviations: float = Field(default=2.0, gt=0)

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """%B of each close."""
        score = zscore(bars["close"].to_numpy(), self.window)
        return pd.Series(0.5 + score / (2.0 * self.deviations), index=bars.index)


class BollingerWidth(Indicator):
    """Bollinger band width: (upper band - lower band) / middle band.

    Attributes:
        window: Bars of the mean and of the standard deviation.
        deviations: Standard deviations from the mean to either band.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["bollinger_width"] = "bollinger_width"
    window: RollingWindow = 20
    deviations: float = Field(default=2.0, gt=0)

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The width at each bar."""
        close: Vector = bars["close"].to_numpy()
        mean, deviation = mean_and_deviation(close, self.window)
        return pd.Series(2.0 * self.deviations * deviation / mean, index=bars.index)

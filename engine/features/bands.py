"""Bollinger bands: the mean of the last closes, plus and minus `deviations` standard deviations.

ta computes the same bands from pandas' running deviation, which is 26 % off after a price fell to
a millionth; see `engine.features.rolling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from engine.features.base import RollingWindow, WindowIndicator
from engine.features.rolling import describe_window, mean_and_deviation, newest_zscore, zscore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector


class BollingerPercent(WindowIndicator):
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

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """%B of each close."""
        return 0.5 + zscore(columns["close"], self.window) / (2.0 * self.deviations)

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """%B of the last close."""
        return 0.5 + newest_zscore(columns["close"]) / (2.0 * self.deviations)


class BollingerWidth(WindowIndicator):
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

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The width at each bar."""
        mean, deviation = mean_and_deviation(columns["close"], self.window)
        return 2.0 * self.deviations * deviation / mean

    @override
    def compute_newest(self, columns: Mapping[str, Vector]) -> float:
        """The width at the last bar."""
        mean, deviation = describe_window(columns["close"])
        return 2.0 * self.deviations * deviation / mean

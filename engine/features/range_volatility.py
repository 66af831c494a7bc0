"""Range-based volatility estimators, from open, high, low and close.

They need fewer bars than closes for the same precision. All are per bar, like `volatility`. With
few trades per bar the observed range is too small, and so are the estimates. They are 0 where the
price is constant. In the formulas o, h, l, c are the logs of a bar's prices and [x] is the mean
over the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.features.base import RollingWindow, WindowIndicator
from engine.features.rolling import mean_and_deviation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector

_LN2 = float(np.log(2.0))


class RangeVolatility(WindowIndicator, ABC):
    """The square root of a variance estimate over the last `window` bars.

    Attributes:
        kind: Kind of the feature; the first part of its name.
        window: Bars of the estimate.
    """

    kind: str
    window: RollingWindow = 20

    @abstractmethod
    def _variance(self, bars: Mapping[str, Vector]) -> Vector:
        """The variance, shape (n,); it may be slightly negative by rounding."""

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The root of the variance, of 0 where rounding makes that negative."""
        root: Vector = np.sqrt(np.maximum(self._variance(columns), 0.0))
        return root


class Parkinson(RangeVolatility):
    """sqrt([(h - l)^2] / (4 ln 2)) (Parkinson 1980, J. of Business 53).

    About five times as efficient as closes, without drift and without jumps between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low")

    kind: Literal["parkinson"] = "parkinson"

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def _variance(self, bars: Mapping[str, Vector]) -> Vector:
        squares = np.square(_log_ratio(bars, "high", "low"))
        return mean_and_deviation(squares, self.window)[0] / (4.0 * _LN2)


class GarmanKlass(RangeVolatility):
    """sqrt([0.5 (h - l)^2 - (2 ln 2 - 1) (c - o)^2]) (Garman & Klass 1980, J. of Business 53).

    Their practical estimator, about seven times as efficient as closes under the same conditions.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")

    kind: Literal["garman_klass"] = "garman_klass"

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def _variance(self, bars: Mapping[str, Vector]) -> Vector:
        spread, body = _log_ratio(bars, "high", "low"), _log_ratio(bars, "close", "open")
        squares = 0.5 * np.square(spread) - (2.0 * _LN2 - 1.0) * np.square(body)
        return mean_and_deviation(squares, self.window)[0]


class RogersSatchell(RangeVolatility):
    """sqrt([(h - c)(h - o) + (l - c)(l - o)]) (Rogers & Satchell 1991, Ann. Applied Prob. 1).

    Unbiased for any drift; ignores jumps between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")

    kind: Literal["rogers_satchell"] = "rogers_satchell"

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def _variance(self, bars: Mapping[str, Vector]) -> Vector:
        return mean_and_deviation(_rogers_satchell_terms(bars), self.window)[0]


class YangZhang(RangeVolatility):
    """sqrt(V_o + k V_c + (1 - k) V_rs) (Yang & Zhang 2000, J. of Business 73).

    V_o is the variance of o_t - c_{t-1}, V_c that of c - o (both with divisor `window` - 1), V_rs
    that of Rogers and Satchell; k = 0.34 / (1.34 + (window + 1) / (window - 1)), theirs.
    Unbiased for any drift, and includes jumps between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")

    kind: Literal["yang_zhang"] = "yang_zhang"

    @property
    def warmup(self) -> int:
        """`window` overnight returns need `window` + 1 bars."""
        return self.window

    def _variance(self, bars: Mapping[str, Vector]) -> Vector:
        window = self.window
        close = bars["close"]
        overnight_returns = np.full(close.shape, np.nan)
        overnight_returns[1:] = np.log(bars["open"][1:] / close[:-1])
        overnight, body = (
            np.square(mean_and_deviation(moves, window, ddof=1)[1])
            for moves in (overnight_returns, _log_ratio(bars, "close", "open"))
        )
        within = mean_and_deviation(_rogers_satchell_terms(bars), window)[0]
        weight = 0.34 / (1.34 + (window + 1) / (window - 1))
        return overnight + weight * body + (1.0 - weight) * within


def _log_ratio(bars: Mapping[str, Vector], above: str, below: str) -> Vector:
    """ln(above / below) of each bar."""
    ratio: Vector = np.log(bars[above] / bars[below])
    return ratio


def _rogers_satchell_terms(bars: Mapping[str, Vector]) -> Vector:
    up = _log_ratio(bars, "high", "close") * _log_ratio(bars, "high", "open")
    return up + _log_ratio(bars, "low", "close") * _log_ratio(bars, "low", "open")

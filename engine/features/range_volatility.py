"""Volatility from open, high, low and close: the same precision from fewer bars.

All are per bar, like `volatility`, and take each bar's prices as a path without drift between
samples: with few trades a bar the range is too small, and so are they. 0 where nothing moves.
In the formulas o, h, l, c are the logs of a bar's prices and [x] is the mean over the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from engine.features.base import Indicator, RollingWindow
from engine.features.rolling import mean_and_deviation

if TYPE_CHECKING:
    from engine.core.types import Vector

_LN2 = float(np.log(2.0))


class RangeVolatility(Indicator, ABC):
    """The root of a variance that is a mean over the last `window` bars.

    Attributes:
        kind: Which one; stands first in its name.
        window: Bars.
    """

    kind: str
    window: RollingWindow = 20

    @abstractmethod
    def _variance(self, bars: pd.DataFrame) -> Vector:
        """Shape (n,); rounding may leave it a little below 0."""

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        return pd.Series(np.sqrt(np.maximum(self._variance(bars), 0.0)), index=bars.index)


class Parkinson(RangeVolatility):
    """sqrt([(h - l)^2] / (4 ln 2)) (Parkinson 1980, J. of Business 53).

    About five times as efficient as closes, where prices neither drift nor jump between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low")

    kind: Literal["parkinson"] = "parkinson"

    @property
    def warmup(self) -> int:
        """The bars before the first whole window."""
        return self.window - 1

    def _variance(self, bars: pd.DataFrame) -> Vector:
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
        """The bars before the first whole window."""
        return self.window - 1

    def _variance(self, bars: pd.DataFrame) -> Vector:
        spread, body = _log_ratio(bars, "high", "low"), _log_ratio(bars, "close", "open")
        squares = 0.5 * np.square(spread) - (2.0 * _LN2 - 1.0) * np.square(body)
        return mean_and_deviation(squares, self.window)[0]


class RogersSatchell(RangeVolatility):
    """sqrt([(h - c)(h - o) + (l - c)(l - o)]) (Rogers & Satchell 1991, Ann. Applied Prob. 1).

    Right whatever the drift; blind to jumps between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")

    kind: Literal["rogers_satchell"] = "rogers_satchell"

    @property
    def warmup(self) -> int:
        """The bars before the first whole window."""
        return self.window - 1

    def _variance(self, bars: pd.DataFrame) -> Vector:
        return mean_and_deviation(_rogers_satchell_terms(bars), self.window)[0]


class YangZhang(RangeVolatility):
    """sqrt(V_o + k V_c + (1 - k) V_rs) (Yang & Zhang 2000, J. of Business 73).

    V_o is the variance of o_t - c_{t-1}, V_c that of c - o (both with divisor `window` - 1), V_rs
    that of Rogers and Satchell; k = 0.34 / (1.34 + (window + 1) / (window - 1)), theirs.
    Right whatever the drift, and counts jumps between bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")

    kind: Literal["yang_zhang"] = "yang_zhang"

    @property
    def warmup(self) -> int:
        """`window` jumps from close to open need one bar more."""
        return self.window

    def _variance(self, bars: pd.DataFrame) -> Vector:
        window = self.window
        close: Vector = bars["close"].to_numpy()
        jump = np.full(len(close), np.nan)
        jump[1:] = np.log(bars["open"].to_numpy()[1:] / close[:-1])
        overnight, body = (
            np.square(mean_and_deviation(moves, window, ddof=1)[1])
            for moves in (jump, _log_ratio(bars, "close", "open"))
        )
        within = mean_and_deviation(_rogers_satchell_terms(bars), window)[0]
        weight = 0.34 / (1.34 + (window + 1) / (window - 1))
        return overnight + weight * body + (1.0 - weight) * within


def _log_ratio(bars: pd.DataFrame, above: str, below: str) -> Vector:
    """ln(above / below) of each bar."""
    ratio: Vector = np.log(bars[above].to_numpy() / bars[below].to_numpy())
    return ratio


def _rogers_satchell_terms(bars: pd.DataFrame) -> Vector:
    up = _log_ratio(bars, "high", "close") * _log_ratio(bars, "high", "open")
    return up + _log_ratio(bars, "low", "close") * _log_ratio(bars, "low", "open")

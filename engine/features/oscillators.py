"""Features with exponential smoothing, which always depend a little on the first bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from engine.features.base import Indicator, RollingWindow

if TYPE_CHECKING:
    import pandas as pd


class Rsi(Indicator):
    """Relative strength index in [0, 1] (Wilder 1978): U / (U + D).

    U and D are the rises and falls of the close, smoothed with weight 1 / `window`. A close that
    is constant for `warmup` bars gives 0.5 (ta gives 100 or the last value).
    A different first bar changes values after the warm-up by less than 2e-4.

    Attributes:
        window: Inverse of the weight of the newest rise or fall.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["rsi"] = "rsi"
    window: RollingWindow = 14

    @property
    def warmup(self) -> int:
        """The first bar's weight falls to (1 - 1 / window)^(10 window) < e^-10."""
        return 10 * self.window

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        from ta.momentum import RSIIndicator

        close = bars["close"]
        index: pd.Series[float] = RSIIndicator(close, self.window).rsi() / 100.0
        recent = close.rolling(self.warmup)
        return index.mask(recent.max() == recent.min(), 0.5)


class Macd(Indicator):
    """MACD histogram in units of the close: (MACD - signal) / close (Appel).

    MACD is the exponential mean of span `fast` minus that of span `slow`, and the signal is the
    exponential mean of MACD of span `signal`. A different first bar changes values after the
    warm-up by less than 1e-5.

    Attributes:
        fast: Span of the fast exponential mean, bars; below `slow`.
        slow: Span of the slow exponential mean, bars.
        signal: Span of the exponential mean of MACD itself, bars.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["macd"] = "macd"
    fast: RollingWindow = 12
    slow: RollingWindow = 26
    signal: RollingWindow = 9

    @model_validator(mode="after")
    def _check_spans(self) -> Macd:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self

    @property
    def warmup(self) -> int:
        """The first bar's weight falls to (1 - 2 / (span + 1))^(5 (span + 1)) < e^-10.

        Two smoothings are applied in sequence, hence the sum of their spans.
        """
        return 5 * (self.slow + self.signal + 2)

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        from ta.trend import MACD

        indicator = MACD(bars["close"], self.slow, self.fast, self.signal)
        histogram: pd.Series[float] = indicator.macd_diff() / bars["close"]
        return histogram

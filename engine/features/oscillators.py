"""Features with exponential smoothing, which always depend a little on the first bar.

pandas smooths without a bias correction (`adjust=False`) by a recursion on its last value. The
streaming forms call pandas on that value and the new ones, which gives the bits of the whole
history on every processor: a compiler may fuse the multiplication and the addition of the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from engine.features.base import Indicator, RollingWindow

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.features.window_state import FeatureState


class Rsi(Indicator):
    """Relative strength index in [0, 1] (Wilder 1978): U / (U + D).

    U and D are the rises and falls of the close, smoothed with weight 1 / `window`. A close that
    is constant for `warmup` bars gives 0.5 (ta gives 100 or the last value).

    A different first bar changes values after the warm-up by less than e^-10 M / (U + D), M being
    the largest rise or fall of the close before or at the bar from which the histories agree: by
    1e-5 while the price keeps its level, by 6e-4 after a fall to a tenth, by 0.06 after one to a
    thousandth, and without a limit below 1 after one to a millionth.

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

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The index at each bar."""
        from ta.momentum import RSIIndicator

        close = bars["close"]
        index: pd.Series[float] = RSIIndicator(close, self.window).rsi() / 100.0
        return index.mask(self._is_constant(close), 0.5)

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The index at the new bars; the state has the last `warmup` closes, and U and D."""
        before = np.empty((0, 3)) if state is None else state
        close = pd.Series(np.concatenate([before[:, 0], bars["close"].to_numpy()]))
        change = close.diff()
        new, weight = slice(len(before), None), 1 / self.window
        centre = (1 - weight) / weight  # as pandas has it, to the last bit
        rises, falls = change.where(change > 0, 0.0)[new], -change.where(change < 0, 0.0)[new]
        rise = _continue_smoothing(before[-1:, 1], rises, centre)
        fall = _continue_smoothing(before[-1:, 2], falls, centre)
        index = (100.0 - 100.0 / (1.0 + rise / fall)).mask(fall == 0.0, 100.0) / 100.0
        values = index.set_axis(bars.index).mask(self._is_constant(close)[new].to_numpy(), 0.5)
        rows = np.column_stack([close[new], rise, fall])
        kept = np.vstack([before, rows])[-self.warmup :]
        return kept, self._mask_warmup(values, seen=len(before))

    def _is_constant(self, close: pd.Series[float]) -> pd.Series[bool]:
        """Whether the last `warmup` closes are equal."""
        recent = close.rolling(self.warmup)
        return recent.max() == recent.min()


class Macd(Indicator):
    """MACD histogram in units of the close: (MACD - signal) / close (Appel).

    MACD is the exponential mean of span `fast` minus that of span `slow`, and the signal is the
    exponential mean of MACD of span `signal`.

    A different first bar changes values after the warm-up by less than 4e-6 P / close (1.2e-4
    P / close for other spans), P being the highest close before or at the bar from which the
    histories agree: by 3e-6 after a fall to a tenth, by 4e-4 after one to a thousandth.

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

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The histogram at each bar."""
        from ta.trend import MACD

        indicator = MACD(bars["close"], self.slow, self.fast, self.signal)
        histogram: pd.Series[float] = indicator.macd_diff() / bars["close"]
        return histogram

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The histogram at the new bars.

        The state has the number of bars up to `warmup`, the two means and the signal.
        """
        seen = 0 if state is None else int(state[0])
        before = np.empty((3, 0)) if state is None else state[1:].reshape(3, 1)
        close = pd.Series(bars["close"].to_numpy())
        fast = _continue_smoothing(before[0], close, (self.fast - 1) / 2)
        slow = _continue_smoothing(before[1], close, (self.slow - 1) / 2)
        # ta has no slow mean, and hence no MACD, before `slow` bars.
        macd = (fast - slow).mask(seen + np.arange(len(close)) < self.slow - 1)
        signal = _continue_smoothing(before[2], macd, (self.signal - 1) / 2)
        values = ((macd - signal) / close).set_axis(bars.index)
        means = (mean.iloc[-1] for mean in (fast, slow, signal))
        kept = np.array([min(seen + len(close), self.warmup), *means])
        return kept, self._mask_warmup(values, seen=seen)


def _continue_smoothing(
    previous: Vector, values: pd.Series[float], centre_of_mass: float
) -> pd.Series[float]:
    """The exponential mean at each of these values.

    Args:
        previous: The mean before them, or nothing.
        values: At least one; NaN only before the first number of all.
        centre_of_mass: The weight of the newest value is 1 / (1 + centre_of_mass).

    Returns:
        One a value, with an index from 0.
    """
    joined = pd.Series(np.concatenate([previous, values]))
    means: pd.Series[float] = joined.ewm(com=centre_of_mass, adjust=False).mean()
    return means[len(previous) :].reset_index(drop=True)

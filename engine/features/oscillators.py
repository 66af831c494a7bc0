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
from engine.features.rolling import is_constant
from engine.features.smoothing import continue_mean

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.data.next_bar import NextBar
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
        close = bars["close"].to_numpy(dtype=np.float64)
        moves = pd.DataFrame(np.column_stack(_split_moves(close)))
        rise, fall = moves.ewm(alpha=1 / self.window, adjust=False).mean().to_numpy().T
        return pd.Series(self._index(close, rise, fall), index=bars.index)

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The index at the new bars; the state has the last `warmup` closes, and U and D."""
        before = np.empty((0, 3)) if state is None else state
        close = np.concatenate([before[:, 0], bars["close"].to_numpy(dtype=np.float64)])
        new, weight = slice(len(before), None), 1 / self.window
        centre = (1 - weight) / weight  # as pandas has it, to the last bit
        rise, fall = (
            _continue_smoothing(before[-1:, column], pd.Series(moves[new]), centre).to_numpy()
            for column, moves in enumerate(_split_moves(close), start=1)
        )
        rows = np.vstack([before, np.column_stack([close[new], rise, fall])])
        values = pd.Series(self._index(*rows.T)[new], index=bars.index)
        return rows[-self.warmup :], self._mask_warmup(values, seen=len(before))

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The index at a single bar."""
        close, weight = bar.values[symbol]["close"], 1 / self.window
        centre = (1 - weight) / weight
        before, rise, fall = state[-1].tolist()
        change = close - before
        rise = continue_mean(rise, change if change > 0 else 0.0, centre)
        fall = continue_mean(fall, -(change if change < 0 else 0.0), centre)
        kept = np.vstack([state, (close, rise, fall)])[-self.warmup :]
        recent = kept[:, 0]
        if recent.max() == recent.min():
            return kept, 0.5
        if fall == 0.0:
            return kept, 1.0
        return kept, (100.0 - 100.0 / (1.0 + rise / fall)) / 100.0

    def _index(self, close: Vector, rise: Vector, fall: Vector) -> Vector:
        """The index of smoothed rises and falls."""
        with np.errstate(divide="ignore", invalid="ignore"):
            index = np.where(fall == 0.0, 100.0, 100.0 - 100.0 / (1.0 + rise / fall)) / 100.0
        return np.where(is_constant(close, self.warmup), 0.5, index)


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

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The histogram at a single bar."""
        close = bar.values[symbol]["close"]
        count, fast, slow, signal = state.tolist()
        fast = continue_mean(fast, close, (self.fast - 1) / 2)
        slow = continue_mean(slow, close, (self.slow - 1) / 2)
        macd = fast - slow
        signal = continue_mean(signal, macd, (self.signal - 1) / 2)
        return np.array([count, fast, slow, signal]), (macd - signal) / close


def _split_moves(close: Vector) -> tuple[Vector, Vector]:
    """The rise and the fall at each bar, 0 or more each; 0 at the first."""
    change = np.diff(close, prepend=np.nan)
    return np.where(change > 0, change, 0.0), -np.where(change < 0, change, 0.0)


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

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
from engine.features.smoothing import continue_mean, continue_means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BoolMatrix, BoolVector, Matrix, Vector
    from engine.data.next_bar import NextBar
    from engine.features.symbol_states import SymbolStates
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
        return pd.Series(self.compute_array({"close": close}), index=bars.index)

    def compute_array(self, columns: Mapping[str, Vector | Matrix]) -> Vector | Matrix:
        """The index at each bar of a whole history, of one symbol or of several."""
        close = columns["close"]
        moves = _split_moves(close)
        rise, fall = (
            (pd.Series(each) if each.ndim == 1 else pd.DataFrame(each))
            .ewm(alpha=1 / self.window, adjust=False)
            .mean()
            .to_numpy()
            for each in moves
        )
        return self._index(is_constant(close, self.warmup), rise, fall)

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The index at the new bars.

        The state has the number of bars up to `warmup`, the last close, U and D, and how many of
        the last `warmup` closes are equal to the last.
        """
        seen, before, rise, fall, equal = np.split(np.empty(0) if state is None else state, 5)
        close = bars["close"].to_numpy(dtype=np.float64)
        new, weight = slice(len(before), None), 1 / self.window
        centre = (1 - weight) / weight  # as pandas has it, to the last bit
        closes = np.concatenate([before, close])
        rises, falls = (
            np.array(_continue_smoothing(mean, pd.Series(moves[new]), centre), np.float64)
            for mean, moves in zip((rise, fall), _split_moves(closes), strict=True)
        )
        lengths = _equal_lengths(closes, equal)[new]
        values = pd.Series(self._index(lengths >= self.warmup, rises, falls), index=bars.index)
        count = int(sum(seen))
        kept = (count + len(close), close[-1], rises[-1], falls[-1], lengths[-1])
        capped = np.minimum(kept, (self.warmup, *[np.inf] * 3, self.warmup))
        return capped, self._mask_warmup(values, seen=count)

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The index at a single bar."""
        close, weight = bar.values[symbol]["close"], 1 / self.window
        centre = (1 - weight) / weight
        seen, before, rise, fall, equal = state.tolist()
        change = close - before
        rise = continue_mean(rise, change if change > 0 else 0.0, centre)
        fall = continue_mean(fall, -(change if change < 0 else 0.0), centre)
        equal = min(equal + 1.0, self.warmup) if close == before else 1.0
        kept = np.array([seen, close, rise, fall, equal])
        if equal >= self.warmup:
            return kept, 0.5
        if fall == 0.0:
            return kept, 1.0
        return kept, (100.0 - 100.0 / (1.0 + rise / fall)) / 100.0

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The index of several symbols at a single bar."""
        close, weight = bar.column("close", symbols), 1 / self.window
        centre = (1 - weight) / weight
        seen, before, rise, fall, equal = np.asarray(states).T
        change = close - before
        rise = continue_means(rise, np.where(change > 0, change, 0.0), centre)
        fall = continue_means(fall, -np.where(change < 0, change, 0.0), centre)
        equal = np.where(close == before, np.minimum(equal + 1.0, self.warmup), 1.0)
        kept = np.column_stack([seen, close, rise, fall, equal])
        return kept, self._index(equal >= self.warmup, rise, fall)

    @staticmethod
    def _index(
        still: BoolVector | BoolMatrix, rise: Vector | Matrix, fall: Vector | Matrix
    ) -> Vector | Matrix:
        """The index of smoothed rises and falls; 0.5 where the close is constant."""
        with np.errstate(divide="ignore", invalid="ignore"):
            index = np.where(fall == 0.0, 100.0, 100.0 - 100.0 / (1.0 + rise / fall)) / 100.0
        return np.where(still, 0.5, index)


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

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The histogram of several symbols at a single bar."""
        close = bar.column("close", symbols)
        count, fast, slow, signal = np.asarray(states).T
        fast = continue_means(fast, close, (self.fast - 1) / 2)
        slow = continue_means(slow, close, (self.slow - 1) / 2)
        macd = fast - slow
        signal = continue_means(signal, macd, (self.signal - 1) / 2)
        return np.column_stack([count, fast, slow, signal]), (macd - signal) / close


def _split_moves(close: Vector | Matrix) -> tuple[Vector | Matrix, Vector | Matrix]:
    """The rise and the fall at each bar, 0 or more each; 0 at the first."""
    change = np.full(close.shape, np.nan)
    np.subtract(close[1:], close[:-1], out=change[1:])
    return np.where(change > 0, change, 0.0), -np.where(change < 0, change, 0.0)


def _equal_lengths(closes: Vector, equal: Vector) -> Vector:
    """How many closes up to each one are equal to it.

    Args:
        closes: (n,) in time order.
        equal: The number at the first of them, or nothing where no close is before it.
    """
    place = np.arange(len(closes), dtype=np.float64)
    starts = place.copy()
    starts[1:][closes[1:] == closes[:-1]] = -np.inf
    starts[0] = 1.0 - float(equal[0] if len(equal) else 1.0)
    lengths: Vector = place - np.maximum.accumulate(starts) + 1.0
    return lengths


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

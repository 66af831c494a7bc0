"""Features of volume, independent of its unit; early crypto data has bars without volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from engine.features.base import Indicator, RollingWindow, WindowIndicator
from engine.features.rolling import is_constant, zscore
from engine.features.running_sum import RunningSum, append_to_sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BoolVector, Vector
    from engine.data.next_bar import NextBar
    from engine.features.symbol_states import SymbolStates
    from engine.features.window_state import FeatureState


class Vwap(Indicator):
    """Distance from the volume-weighted average price of the last `window` bars.

    close / VWAP - 1, each bar at its typical price (high + low + close) / 3; the average is the
    benchmark of Berkowitz, Logue & Noser (1988, J. of Finance 43). Without volume in the
    window there is no VWAP, and the distance is 0. Bars whose source has no volume at all
    (`volume: none`) are refused.

    Attributes:
        window: Bars of the average price.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("high", "low", "close", "volume")

    kind: Literal["vwap"] = "vwap"
    window: RollingWindow = 14

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The distance at each bar."""
        high, low, close, volume = (
            bars[name].to_numpy("float64") for name in ("high", "low", "close", "volume")
        )
        money, traded = (
            pd.Series(amounts).rolling(self.window).sum().to_numpy()
            for amounts in ((high + low + close) / 3.0 * volume, volume)
        )
        return pd.Series(
            self._distance(close, money, traded, is_constant(volume, self.window) & (volume == 0)),
            index=bars.index,
        )

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The distance at the new bars; the state has the running sums of its two averages."""
        high, low, close, volume = (
            bars[name].to_numpy("float64") for name in ("high", "low", "close", "volume")
        )
        before = np.empty((2, 0)) if state is None else state
        sums = [RunningSum.from_state(self.window, row) for row in before]
        held = np.array(sums[1].held)  # NaN where no bar was seen
        volumes = np.append(held, volume)
        amounts = ((high + low + close) / 3.0 * volume, volume)
        money, traded = (
            running.extend(amount) for running, amount in zip(sums, amounts, strict=True)
        )
        is_idle = (is_constant(volumes, self.window) & (volumes == 0.0))[self.window :]
        values = pd.Series(self._distance(close, money, traded, is_idle), index=bars.index)
        kept = np.vstack([running.to_state() for running in sums])
        return kept, self._mask_warmup(values, seen=int(np.sum(~np.isnan(held))))

    @staticmethod
    def _distance(close: Vector, money: Vector, traded: Vector, is_idle: BoolVector) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(is_idle, 0.0, close / (money / traded) - 1.0)

    def advance_for_symbol(
        self, state: FeatureState, bar: NextBar, symbol: str
    ) -> tuple[FeatureState, float]:
        """The distance at a single bar."""
        values = bar.values[symbol]
        close, volume = values["close"], values["volume"]
        money, traded = (RunningSum.from_state(self.window, row) for row in state)
        amount = (values["high"] + values["low"] + close) / 3.0 * volume
        with np.errstate(all="ignore"):  # the stream refuses what is not finite
            average = money.append(amount) / np.float64(traded.append(volume))
            distance = float(close / average - 1.0)
        is_idle = max(traded.held) == 0.0
        kept = np.vstack([money.to_state(), traded.to_state()])
        return kept, 0.0 if is_idle else distance

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The distance of several symbols at a single bar."""
        high, low, close, volume = (
            bar.column(name, symbols) for name in ("high", "low", "close", "volume")
        )
        with np.errstate(all="ignore"):  # the stream refuses what is not finite
            amounts = np.column_stack([(high + low + close) / 3.0 * volume, volume])
            kept, sums = append_to_sums(np.asarray(states), amounts)
        is_idle = (kept[:, 1, -self.window :] == 0.0).all(axis=1)
        return kept, self._distance(close, sums[:, 0], sums[:, 1], is_idle)


class Obv(WindowIndicator):
    """Rolling z-score of the bar's change of on-balance volume (Granville).

    The change is +volume for a higher close, -volume for a lower one, 0 for an equal one (ta
    counts equal as higher, and its running total depends on the first bar). It is 0 where the
    change is constant. Bars whose source has no volume (`volume: none`) are refused.

    Attributes:
        window: Bars of the z-score.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close", "volume")

    kind: Literal["obv"] = "obv"
    window: RollingWindow = 20

    @property
    def warmup(self) -> int:
        """`window` changes need `window` + 1 bars."""
        return self.window

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The z-score of the change at each bar."""
        change: Vector = (
            np.sign(np.diff(columns["close"], prepend=np.nan, axis=0)) * columns["volume"]
        )
        return zscore(change, self.window)


class VolumeZscore(WindowIndicator):
    """Rolling z-score of volume; 0 where it is constant.

    Bars whose source has no volume (`volume: none`) are refused.

    Attributes:
        window: Bars of the mean and of the standard deviation.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("volume",)

    kind: Literal["volume_zscore"] = "volume_zscore"
    window: RollingWindow = 20

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The z-score at each bar."""
        return zscore(columns["volume"], self.window)

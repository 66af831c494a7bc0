"""Features of volume, independent of its unit; early crypto data has bars without volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from engine.features.base import Indicator, RollingWindow
from engine.features.rolling import zscore
from engine.features.running_sum import RunningSum

if TYPE_CHECKING:
    from engine.core.types import Vector
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
        from ta.volume import VolumeWeightedAveragePrice

        high, low, close, volume = (bars[name] for name in ("high", "low", "close", "volume"))
        average = VolumeWeightedAveragePrice(high, low, close, volume, self.window)
        distance: pd.Series[float] = close / average.volume_weighted_average_price() - 1.0
        return distance.mask(volume.rolling(self.window).max() == 0.0, 0.0)

    def update(
        self, state: FeatureState | None, bars: pd.DataFrame
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The distance at the new bars; the state has the running sums of its two averages."""
        high, low, close, volume = (
            bars[name].to_numpy("float64") for name in ("high", "low", "close", "volume")
        )
        before = np.empty((2, 0)) if state is None else state
        sums = [RunningSum.from_state(self.window, row) for row in before]
        seen = len(sums[1].held)
        volumes = pd.Series([*sums[1].held, *volume])
        amounts = ((high + low + close) / 3.0 * volume, volume)
        money, traded = (
            pd.Series(running.extend(amount), bars.index)
            for running, amount in zip(sums, amounts, strict=True)
        )
        distance = pd.Series(close, bars.index) / (money / traded) - 1.0
        is_idle = volumes.rolling(self.window).max().to_numpy()[seen:] == 0.0
        kept = np.vstack([running.to_state() for running in sums])
        return kept, self._mask_warmup(distance.mask(is_idle, 0.0), seen=seen)


class Obv(Indicator):
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

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The z-score of the change at each bar."""
        close, volume = bars["close"].to_numpy(), bars["volume"].to_numpy(dtype="float64")
        change: Vector = np.sign(np.diff(close, prepend=np.nan)) * volume
        return pd.Series(zscore(change, self.window), index=bars.index)


class VolumeZscore(Indicator):
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

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The z-score at each bar."""
        volume = bars["volume"].to_numpy(dtype="float64")
        return pd.Series(zscore(volume, self.window), index=bars.index)

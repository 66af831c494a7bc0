"""Features that look ahead at some bars only, and markets on which they are probed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.features.base import Indicator
from engine.features.oscillators import Rsi
from engine.leakage.comparison import OutputComparison
from engine.leakage.feature_probe import probe_features
from engine.pipeline.feature_history import build_history
from engine.selftest.harness import make_strategy
from engine.testing.markets import make_bars, market_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data import Market
    from engine.features.base import FeatureSpec
    from engine.leakage.feature_probe import FeatureProbe

FIRST_ROW = 60


def trading_days(
    count: int = 2_500, seed: int = 0, symbols: Sequence[str] = ("AAA", "BBB")
) -> Market:
    """Symbols on Mondays to Fridays, about nine holidays a year left out."""
    days = pd.bdate_range("2004-01-01", periods=2 * count, tz="UTC", unit="us")
    open_days = days[np.random.default_rng(17).random(len(days)) > 0.035][:count]
    tables = [
        make_bars(count, 10 * seed + place)
        .set_axis(open_days.rename("timestamp"))
        .assign(symbol=symbol)
        .reset_index()
        for place, symbol in enumerate(symbols)
    ]
    order = ["timestamp", "symbol", "open", "high", "low", "close", "volume"]
    return replace(market_of(pd.concat(tables)[order]), symbols=tuple(symbols))


def probe(market: Market, features: Sequence[FeatureSpec], seed: int = 1) -> FeatureProbe:
    spec = make_strategy(seed=seed).model_copy(update={"features": tuple(features)})
    history = build_history(spec, market)
    first = max(FIRST_ROW, history.features.warmup)
    fills = history.features.timestamps[first::40]
    return probe_features(spec, market, history, first, fills, OutputComparison())


class Peeking(Indicator):
    """An honest value, and at some bars 2 % of it more where the next close is higher."""

    kind: Literal["peeking"] = "peeking"
    places: str = "share"
    share: float = 0.1
    draw: int = 0

    @property
    def warmup(self) -> int:
        return Rsi().warmup

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        close = bars["close"]
        after = (close.shift(-1) / close - 1.0).fillna(0.0)
        return Rsi().compute_values(bars) + 2.0 * after.where(self.is_place(bars, after), 0.0)

    def is_place(self, bars: pd.DataFrame, after: pd.Series[float]) -> pd.Series[bool]:
        """Whether the bar looks ahead; by its time, or by what follows it."""
        stamps = pd.DatetimeIndex(bars.index)
        following = stamps.to_series().shift(-1)
        if self.places == "share":
            mixed = pd.util.hash_array(stamps.as_unit("us").asi8 + 7_919 * self.draw)
            return pd.Series(mixed < np.uint64(self.share * 2.0**64), index=stamps)
        if self.places == "before holidays":
            return following - stamps.to_series() > pd.Timedelta(days=3)
        if self.places == "month ends":
            return following.dt.month != stamps.month
        return after.abs() > 0.05  # before large moves


class DaysUntilNextBar(Indicator):
    """Days until the next bar; 1 after the last one."""

    kind: Literal["days_until_next_bar"] = "days_until_next_bar"
    required_columns = ()

    @property
    def warmup(self) -> int:
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        stamps = pd.DatetimeIndex(bars.index).to_series()
        return (stamps.shift(-1) - stamps).dt.total_seconds().div(86_400.0).fillna(1.0)


class ShareOfHistory(Indicator):
    """Row number over the number of all rows."""

    kind: Literal["share_of_history"] = "share_of_history"
    required_columns = ()

    @property
    def warmup(self) -> int:
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        return pd.Series(np.arange(len(bars)) / len(bars), index=bars.index)


class TotalVolume(Indicator):
    """Logarithm of the volume so far: it remembers every bar, and looks ahead where told to."""

    kind: Literal["total_volume"] = "total_volume"
    looks_ahead: bool = False

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        volume = bars["volume"].fillna(1.0)
        total = np.log(volume.cumsum() + 1.0)
        after = bars["close"].shift(-1).ffill() / bars["close"] - 1.0
        return total + after if self.looks_ahead else total


class ExpandingZscore(Indicator):
    """The return over mean and deviation of all returns so far."""

    kind: Literal["expanding_zscore"] = "expanding_zscore"

    @property
    def warmup(self) -> int:
        return 30

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        returns = bars["close"].pct_change()
        return (returns - returns.expanding().mean()) / returns.expanding().std()

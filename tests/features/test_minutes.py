"""Minute bars with branches of 5 minutes, an hour and a day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.calendar import INTERVAL_LENGTHS
from engine.data.market import Market
from engine.features.base import Indicator
from engine.features.config import VolatilityRegime
from engine.features.resolutions import CoarseFeatures, build_coarse_features
from tests.features.two_symbols import OTHER, OWN, second_symbol, with_defaults

DAYS = 30
RULES = {"5m": "5min", "1h": "1h", "1d": "1D"}
SHORT = VolatilityRegime(window=5, history=20)
# The default windows of these are longer than the history.
LONG = ("rsi", "macd", "spread_zscore", "beta", "correlation", "trend_regime")


@pytest.fixture(scope="module")
def own() -> pd.DataFrame:
    """A month of minutes, a tenth of which were without a trade and are missing."""
    rng = np.random.default_rng(60)
    stamps = pd.date_range("2024-02-12", periods=DAYS * 1_440, freq="min", tz="UTC")
    close = 100 * np.exp(np.cumsum(0.0005 * rng.standard_normal(len(stamps))))
    spread = 1 + 0.0005 * rng.random((2, len(stamps)))
    values = {"open": close, "high": close * spread[0], "low": close / spread[1], "close": close}
    table = pd.DataFrame(
        values | {"volume": rng.lognormal(3, 1, len(stamps))}, index=stamps.rename("timestamp")
    )
    traded = rng.random(len(stamps)) < 0.9
    traded[0] = True
    return table[traded]


@pytest.fixture(scope="module")
def minutes(own: pd.DataFrame) -> Market:
    long = pd.concat([own.assign(symbol=OWN), second_symbol(own).assign(symbol=OTHER)])
    bars = long.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)
    bars["timestamp"] = bars["timestamp"].astype("datetime64[us, UTC]")
    return Market(bars, (OWN, OTHER), "1m", "24/7", 525_600.0, {})


def features_for(interval: str) -> list:
    own = (feature for feature in with_defaults() if isinstance(feature, Indicator))
    every = [*own, SHORT]
    if interval != "1d":
        return every
    long = ("volatility_regime_20_252", "fractional_difference_0.4_100")
    return [f for f in every if f.kind not in LONG and f.name not in long]


@pytest.fixture(scope="module", params=RULES)
def branch(request: pytest.FixtureRequest, minutes: Market) -> CoarseFeatures:
    interval = request.param
    return build_coarse_features(minutes, interval, features_for(interval), [OWN])


def test_coarse_features_equal_those_of_pandas_resampling(
    branch: CoarseFeatures, own: pd.DataFrame
) -> None:
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    theirs, others = (
        bars.resample(RULES[branch.interval]).agg(how).dropna().iloc[: len(branch.features.values)]
        for bars in (own, second_symbol(own))
    )
    assert len(theirs) >= DAYS - 1
    for place, feature in enumerate(features_for(branch.interval)):
        expected = feature.compute_for_symbol({OWN: theirs, OTHER: others}, OWN)
        np.testing.assert_allclose(
            branch.features.values[:, place], expected, rtol=1e-9, atol=1e-9, err_msg=feature.name
        )
        assert np.isfinite(expected.iloc[feature.warmup :]).all()


def test_a_minute_sees_the_newest_coarse_bar_complete_at_its_close(
    branch: CoarseFeatures, own: pd.DataFrame
) -> None:
    length = INTERVAL_LENGTHS[branch.interval]
    over = branch.features.timestamps + length
    closes = own.index + pd.Timedelta("1min")
    known = branch.latest >= 0
    assert known.sum() > len(own) - 2 * length // pd.Timedelta("1min")
    assert (over[branch.latest[known]] <= closes[known]).all()
    following = branch.latest[known] + 1
    has_next = following < len(over)
    assert (over[following[has_next]] > closes[known][has_next]).all()

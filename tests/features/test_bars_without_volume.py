"""Features of bars whose source has no volume: those that need it refuse, the others do not."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UsageError
from engine.core.types import BAR_COLUMNS
from engine.data.market import Market
from engine.features.base import Indicator
from engine.features.build import build_features
from engine.features.config import LogReturn, Obv, Rsi, VolumeZscore, Vwap
from engine.features.cross_asset import CrossAsset
from engine.features.resolutions import build_coarse_features
from engine.features.stream import FeatureStream
from tests.features.two_symbols import OTHER, OWN, second_symbol, with_defaults

NO_VOLUME = [Vwap(), Obv(), VolumeZscore()]
OF_PRICES = [feature for feature in with_defaults() if "volume" not in feature.required_columns]


def market_of(bars: pd.DataFrame, *, lacking: tuple[str, ...] = (OWN, OTHER)) -> Market:
    """Two symbols, of which some have no volume."""
    tables = {OWN: bars, OTHER: second_symbol(bars)}
    tables |= {symbol: tables[symbol].assign(volume=np.nan) for symbol in lacking}
    long = pd.concat([table.assign(symbol=symbol) for symbol, table in tables.items()])
    ordered = long.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(ordered[list(BAR_COLUMNS)], tuple(tables), "1d", "24/7", 365.0, {})


class OwnDefault(Indicator):
    """A user's feature that does not say what it reads."""

    kind: Literal["own_default"] = "own_default"

    @property
    def warmup(self) -> int:
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        return bars["high"] / bars["low"]


class VolumeShare(CrossAsset):
    """A user's feature of the volumes of two symbols."""

    required_columns: ClassVar[tuple[str, ...]] = ("volume",)

    kind: Literal["volume_share"] = "volume_share"

    @property
    def warmup(self) -> int:
        return 0

    def compute_values(self, close, other):
        return close / other

    def compute(self, bars, other):
        return self._mask_warmup(bars["volume"] / (bars["volume"] + other["volume"] + 1.0))


@pytest.mark.parametrize("feature", [*NO_VOLUME, OwnDefault()], ids=lambda one: one.name)
def test_a_feature_of_volume_is_refused_with_its_name_and_the_symbols(bars, feature) -> None:
    with pytest.raises(UsageError) as caught:
        build_features(market_of(bars), [LogReturn(), feature], [OWN, OTHER])
    error = caught.value
    assert error.exit_code == 2
    assert error.where == "features"
    assert f"{feature.name} needs volume; no bar of {OWN} and {OTHER} has them" in error.found
    assert f"remove {feature.name}" in error.fix


def test_all_features_that_need_it_are_named_at_once(bars) -> None:
    with pytest.raises(
        UsageError, match="obv_20 needs volume; volume_zscore_20 needs volume; no bar of OWN "
    ):
        build_features(market_of(bars, lacking=(OWN,)), NO_VOLUME, [OWN])


@pytest.mark.parametrize("feature", OF_PRICES, ids=lambda one: one.name)
def test_a_feature_of_prices_or_of_time_has_the_values_it_has_with_a_volume(bars, feature) -> None:
    wide = market_of(bars), market_of(bars, lacking=())
    without, with_volume = (build_features(each, [feature], [OWN, OTHER]).values for each in wide)
    np.testing.assert_array_equal(without, with_volume)
    assert np.isfinite(without[feature.warmup :]).all()


def test_only_the_symbols_that_get_the_feature_need_a_volume(bars) -> None:
    market = market_of(bars, lacking=(OTHER,))
    assert build_features(market, NO_VOLUME, [OWN]).names[0] == "OWN:vwap_14"
    with pytest.raises(UsageError, match="no bar of OTHER has them"):
        build_features(market, NO_VOLUME, [OWN, OTHER])


@pytest.mark.parametrize("lacking", [OWN, OTHER])
def test_a_feature_of_two_symbols_needs_the_volume_of_both(bars, lacking: str) -> None:
    with pytest.raises(UsageError, match=f"needs volume; no bar of {lacking} "):
        build_features(market_of(bars, lacking=(lacking,)), [VolumeShare(symbol=OTHER)], [OWN])


def test_longer_intervals_refuse_it_too(bars) -> None:
    market = market_of(bars)
    with pytest.raises(UsageError, match="no bar of OWN and OTHER has them"):
        build_coarse_features(market, "1w", NO_VOLUME, [OWN, OTHER])
    coarse = build_coarse_features(market, "1w", [LogReturn()], [OWN])
    assert np.isfinite(coarse.features.values[1:]).all()


class TestStream:
    def make(self, *features, **chosen) -> FeatureStream:
        return FeatureStream(features, (OWN, OTHER), (OWN,), "1d", **chosen)

    def test_the_first_bars_without_a_volume_are_refused(self, bars) -> None:
        arrived = market_of(bars).bars.iloc[:20]
        with pytest.raises(UsageError, match="vwap_14 needs volume; no bar of OWN "):
            self.make(Vwap()).update(None, arrived)

    @pytest.mark.slow
    def test_features_of_prices_stream_to_the_bits_of_the_matrix(self, bars) -> None:
        market, stream = market_of(bars), self.make(LogReturn(), Rsi(), resolutions=("1w",))
        state, streamed = None, []
        for row in range(200):
            state, then = stream.update(state, market.bars.iloc[2 * row : 2 * row + 2])
            streamed.append(then.features.values)
        batch = build_features(market, (LogReturn(), Rsi()), (OWN,)).values[:200]
        np.testing.assert_array_equal(np.vstack(streamed), batch)

    def test_a_later_bar_that_lacks_its_volume_is_unfit(self, bars) -> None:
        market, stream = market_of(bars, lacking=()), self.make(VolumeZscore(window=5))
        state, _ = stream.update(None, market.bars.iloc[:40])
        with pytest.raises(InvalidBarsError, match="volume_zscore_5 of OWN"):
            stream.update(state, market.bars.iloc[40:42].assign(volume=np.nan))

    @pytest.mark.parametrize("resolutions", [(), ("1w",)])
    @pytest.mark.parametrize("column", ["timestamp", "symbol", "close"])
    def test_bars_without_a_column_that_is_read_name_it(self, bars, column, resolutions) -> None:
        stream = self.make(LogReturn(), resolutions=resolutions)
        with pytest.raises(InvalidBarsError, match=f"no column {column}\n"):
            stream.update(None, market_of(bars).bars.iloc[:4].drop(columns=column))

    def test_a_column_that_nothing_reads_may_be_absent(self, bars) -> None:
        arrived = market_of(bars).bars.iloc[:4].drop(columns=["volume", "high", "open"])
        self.make(LogReturn()).update(None, arrived)

"""Features that look ahead at few bars are found, and honest ones never are."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from engine.core.errors import LookaheadError
from engine.features.config import (
    Beta,
    BollingerPercent,
    Correlation,
    FractionalDifference,
    LogReturn,
    Macd,
    Obv,
    Rsi,
    SpreadZscore,
    TrendRegime,
    Volatility,
    VolatilityRegime,
    VolumeZscore,
    Vwap,
    YangZhang,
)
from engine.leakage.feature_probe import MAX_ASKED_SYMBOLS
from engine.leakage.preparation_probe import miss_probability
from engine.pipeline.prepare import prepare_data
from engine.selftest.harness import make_strategy
from engine.selftest.leaks import Plant, select_leaks
from engine.testing.markets import make_market
from tests.features.two_symbols import with_defaults
from tests.hypothesis_examples import examples
from tests.leakage.peeking import (
    DaysUntilNextBar,
    ExpandingZscore,
    Peeking,
    ShareOfHistory,
    TotalVolume,
    probe,
    trading_days,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data import Market
    from engine.features.base import FeatureSpec

SHARES = (0.1, 0.05, 0.02)


@pytest.fixture(scope="module")
def market() -> Market:
    return trading_days()


def leak_found(market: Market, features: Sequence[FeatureSpec], seed: int = 1) -> str:
    """Stage and column that the error names; nothing where none is found."""
    try:
        probe(market, features, seed)
    except LookaheadError as error:
        return error.where.partition(" at ")[0]
    return ""


def is_caught(market: Market, feature: FeatureSpec, seed: int = 1) -> bool:
    return leak_found(market, (feature,), seed) == f"features: AAA:{feature.name}"


@pytest.mark.parametrize("places", ["before holidays", "month ends", "before large moves"])
def test_a_feature_that_looks_ahead_at_special_bars_only(market, places) -> None:
    assert is_caught(market, Peeking(places=places))


@pytest.mark.parametrize("share", SHARES)
def test_a_feature_that_looks_ahead_at_a_random_share_of_the_bars(market, share) -> None:
    for draw in range(2):
        assert is_caught(market, Peeking(share=share, draw=draw), seed=draw)


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
def test_a_random_share_is_found_in_every_draw(share) -> None:
    long = trading_days(5_000, seed=3)
    caught = [is_caught(long, Peeking(share=share, draw=draw), seed=draw) for draw in range(25)]
    assert all(caught)


@pytest.mark.parametrize(
    "feature", [DaysUntilNextBar(), ShareOfHistory(), TotalVolume(looks_ahead=True)]
)
def test_a_feature_of_later_times_of_the_number_of_bars_or_with_a_long_memory(
    market, feature
) -> None:
    assert is_caught(market, feature)


def test_every_kind_of_feature_is_honest_and_probed_at_many_bars() -> None:
    market = trading_days(1_000)
    features = [feature for feature in with_defaults("BBB") if feature.warmup < 300]
    made = probe(market, features)
    assert not made.unbounded
    assert made.cuts > 20
    assert len(made.special_cuts) >= 10


def test_features_with_a_window_are_asked_at_every_bar_and_others_at_a_share(market) -> None:
    windows = (LogReturn(), BollingerPercent(), Vwap(), Obv(), Volatility())
    made = probe(market, windows)
    assert made.cuts == made.bars
    fading = probe(market, (*windows, Rsi(), Macd()))
    assert miss_probability(0.01, fading.cuts, fading.bars) < 0.001


@pytest.mark.parametrize("name", ["feature: 0.5 % of bars", "feature: RSI of the next bar"])
def test_the_engines_own_feature_that_looks_ahead_at_very_few_bars(market, name) -> None:
    (leak,) = select_leaks([name])
    features = (LogReturn(), Rsi())
    spec = make_strategy().model_copy(update={"features": features})
    with leak.planted(Plant(prepare_data(spec, market), seed=0)):
        assert leak_found(market, features).startswith("features: ")


def test_of_many_symbols_some_are_asked_and_look_ahead_of_the_engines_own_is_found() -> None:
    others = [f"S{place:02d}" for place in range(MAX_ASKED_SYMBOLS)]
    many = trading_days(600, symbols=["AAA", "BBB", *others])
    features = (LogReturn(), Volatility(window=5))
    made = probe(many, features)
    assert made.cuts == made.bars
    (leak,) = select_leaks(["feature: 0.5 % of bars"])
    spec = make_strategy().model_copy(update={"features": features})
    with leak.planted(Plant(prepare_data(spec, trading_days(600)), seed=0)):
        assert leak_found(many, features).startswith("features: ")


@pytest.mark.parametrize("feature", [TotalVolume(), ExpandingZscore()])
def test_an_honest_feature_with_a_long_memory_is_built_once_for_each_cut(market, feature) -> None:
    made = probe(market, (LogReturn(), feature))
    assert made.unbounded == (feature.name,)
    assert made.cuts >= 40


windows = st.integers(10, 120)
HONEST = st.one_of(
    st.builds(LogReturn, periods=st.integers(1, 60)),
    st.builds(Rsi, window=st.integers(2, 40)),
    st.builds(Macd, fast=st.integers(2, 12), slow=st.integers(13, 30), signal=st.integers(2, 12)),
    st.builds(BollingerPercent, window=windows),
    st.builds(Volatility, window=windows),
    st.builds(YangZhang, window=windows),
    st.builds(FractionalDifference),
    st.builds(TrendRegime, window=windows, threshold=st.floats(0.0, 3.0)),
    st.builds(VolatilityRegime, window=st.integers(5, 30), history=st.integers(20, 200)),
    st.builds(Beta, symbol=st.just("BBB"), window=windows),
    st.builds(Correlation, symbol=st.just("BBB"), window=windows),
    st.builds(SpreadZscore, symbol=st.just("BBB"), window=windows),
    st.builds(Vwap, window=windows),
    st.builds(Obv, window=windows),
    st.builds(VolumeZscore, window=windows),
    st.just(ExpandingZscore()),
)


def with_bars(market: Market, **columns: object) -> Market:
    return replace(market, bars=market.bars.assign(**columns))


def without_trades(market: Market) -> Market:
    """One bar of ten has no volume and no movement."""
    idle = np.random.default_rng(5).random(len(market.bars)) < 0.1
    close, volume = market.bars["close"], market.bars["volume"]
    flat = {name: market.bars[name].where(~idle, close) for name in ("open", "high", "low")}
    return with_bars(market, **flat, volume=volume.where(~idle, 0.0))


def with_extremes(market: Market) -> Market:
    """The price falls by seven orders of magnitude and rises again, by jumps."""
    rows = np.arange(len(market.bars)) // len(market.symbols)
    factor = 10.0 ** (-7.0 * np.abs(np.sin(rows // 200)))
    prices = ("open", "high", "low", "close")
    return with_bars(market, **{name: market.bars[name] * factor for name in prices})


MARKETS = {
    "trading days": lambda: trading_days(1_500, seed=5),
    "700 bars around the clock": lambda: make_market(700, seed=3),
    "bars without trades": lambda: without_trades(trading_days(1_200, seed=7)),
    "extreme prices": lambda: with_extremes(trading_days(1_500, seed=9)),
}


@cache
def market_named(name: str) -> Market:
    return MARKETS[name]()


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKETS)
@examples(25, suppress_health_check=list(HealthCheck))
@given(feature=HONEST, seed=st.integers(0, 1_000))
def test_an_honest_feature_is_never_found(name, feature, seed) -> None:
    probe(market_named(name), (feature,), seed)


@pytest.mark.slow
def test_bars_without_a_volume_column() -> None:
    nothing = with_bars(trading_days(900), volume=float("nan"))
    assert probe(nothing, (Rsi(), Volatility())).cuts > 20


@pytest.mark.parametrize(("bars", "cuts"), [(100, 0), (100, 7), (1_000, 250), (40, 40)])
def test_the_probability_of_a_miss_is_that_of_drawing_no_cut(bars, cuts) -> None:
    probability = miss_probability(0.1, cuts, bars)
    drawn = np.prod([(bars - cuts - k) / (bars - k) for k in range(round(0.1 * bars))])
    assert probability == pytest.approx(max(drawn, 0.0), abs=1e-12)


@given(share=st.floats(0.01, 1.0), cuts=st.integers(0, 499))
def test_a_miss_is_less_likely_with_more_cuts_and_with_more_leaking_bars(share, cuts) -> None:
    probability = miss_probability(share, cuts, 500)
    assert 0.0 <= miss_probability(share, cuts + 1, 500) <= probability <= 1.0 + 1e-9
    assert miss_probability(min(1.0, 2.0 * share), cuts, 500) <= probability + 1e-9

"""No feature at bar t knows of a bar after t."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.features.config import LogReturn, Macd, Rsi
from engine.signals.config import BuyAndHold, MeanReversion, MovingAverageCrossover
from tests.features.two_symbols import values_of, with_defaults
from tests.hypothesis_examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.features.base import FeatureSpec
    from engine.signals.benchmarks import BenchmarkRule

    Compute = Callable[[pd.DataFrame], pd.Series[float] | pd.DataFrame]

LENGTH = 420


def plausible_bars(seed: int, first_close: float = 100.0) -> pd.DataFrame:
    """A random walk with runs without movement and without volume."""
    rng = np.random.default_rng(seed)
    moves = rng.standard_t(3, LENGTH) * 0.03
    volume = rng.lognormal(18, 3, LENGTH)
    for quiet in (moves, volume):
        start = rng.integers(LENGTH)
        quiet[start : start + rng.integers(60)] = 0
    close = first_close * np.exp(np.cumsum(moves))
    high, low = close * np.exp(np.abs(moves)), close * np.exp(-np.abs(moves))
    return pd.DataFrame(
        {"open": low, "high": high, "low": low, "close": close, "volume": volume},
        index=pd.date_range("2017-01-01", periods=LENGTH, tz="UTC", name="timestamp"),
    )


def assert_causal(compute: Compute, bars: pd.DataFrame, other: pd.DataFrame, t: int) -> None:
    """Up to bar t, values are the same bits without later bars and with other later bars."""
    now = slice(0, t + 1)
    known = compute(bars).iloc[now].to_numpy()
    cut = compute(bars.iloc[now]).to_numpy()
    changed = compute(pd.concat([bars.iloc[now], other.iloc[t + 1 :]])).iloc[now].to_numpy()
    np.testing.assert_array_equal(cut, known, err_msg="later bars were missed")
    np.testing.assert_array_equal(changed, known, err_msg="later bars were seen")


SEEDS = st.integers(0, 2**32 - 1)
CUTS = st.integers(0, LENGTH - 2)
FEATURES = [*with_defaults(), LogReturn(periods=7), Rsi(window=3), Macd(slow=40)]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@examples(25)
@given(seed=SEEDS, other=SEEDS, t=CUTS)
def test_a_feature_at_or_before_t_does_not_depend_on_bars_after_t(
    feature: FeatureSpec, seed: int, other: int, t: int
) -> None:
    assert_causal(
        partial(values_of, feature), plausible_bars(seed), plausible_bars(other, 500.0), t
    )


RULES = [
    BuyAndHold(),
    MovingAverageCrossover(fast=5, slow=20, side="long_short"),
    MeanReversion(window=10, side="long_short"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
@examples(25)
@given(seed=SEEDS, other=SEEDS, t=CUTS)
def test_a_rule_at_or_before_t_does_not_depend_on_bars_after_t(
    rule: BenchmarkRule, seed: int, other: int, t: int
) -> None:
    def stances(bars: pd.DataFrame) -> pd.DataFrame:
        return rule.compute_positions(bars[["close", "open"]])

    assert_causal(stances, plausible_bars(seed), plausible_bars(other, 500.0), t)


@pytest.mark.parametrize(
    ("leak", "t"),
    [
        pytest.param(lambda bars: bars["close"].rolling(5, center=True).mean(), 200, id="centred"),
        pytest.param(lambda bars: bars["close"] / bars["close"].mean(), 200, id="whole-history"),
        pytest.param(lambda bars: bars["close"].shift(-1), 200, id="tomorrow"),
        pytest.param(lambda bars: bars["close"].diff().bfill(), 0, id="filled-from-behind"),
    ],
)
def test_the_check_itself_catches_a_planted_leak(leak: Compute, t: int) -> None:
    with pytest.raises(AssertionError, match="later bars were"):
        assert_causal(leak, plausible_bars(1), plausible_bars(2, 500.0), t)

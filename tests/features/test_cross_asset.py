"""Features relative to another symbol against plain Python, and a missing symbol."""

from __future__ import annotations

import statistics
from itertools import pairwise
from math import log

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.data.market import Market
from engine.features.build import build_features
from engine.features.config import Beta, Correlation, LogReturn, RelativeStrength, SpreadZscore
from tests.features.two_symbols import OTHER, second_symbol, values_of

N = 40


def logs(bars: pd.DataFrame) -> list[float]:
    return [log(close) for close in bars["close"]]


def returns(bars: pd.DataFrame) -> list[float]:
    return [b - a for a, b in pairwise(logs(bars))]


@pytest.fixture
def lively(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars without a constant price."""
    return bars.iloc[1000:1400]


def test_beta_is_the_slope_of_returns_on_those_of_the_other(lively) -> None:
    own, other = returns(lively), returns(second_symbol(lively))
    slopes = [
        statistics.linear_regression(other[end - N : end], own[end - N : end]).slope
        for end in range(N, len(own) + 1)
    ]
    values = values_of(Beta(symbol=OTHER, window=N), lively)
    np.testing.assert_allclose(values.iloc[N:], slopes, rtol=1e-9)


def test_correlation_is_pearsons(lively) -> None:
    own, other = returns(lively), returns(second_symbol(lively))
    expected = [
        statistics.correlation(own[end - N : end], other[end - N : end])
        for end in range(N, len(own) + 1)
    ]
    values = values_of(Correlation(symbol=OTHER, window=N), lively)
    np.testing.assert_allclose(values.iloc[N:], expected, rtol=0, atol=1e-12)


def test_the_spread_zscore_uses_the_last_window(lively) -> None:
    spread = [a - b for a, b in zip(logs(lively), logs(second_symbol(lively)), strict=True)]
    scores = []
    for end in range(N, len(spread) + 1):
        last = spread[end - N : end]
        scores.append((last[-1] - statistics.fmean(last)) / statistics.pstdev(last))
    values = values_of(SpreadZscore(symbol=OTHER, window=N), lively)
    np.testing.assert_allclose(values.iloc[N - 1 :], scores, rtol=0, atol=1e-9)


def test_relative_strength_is_the_difference_of_returns(lively) -> None:
    own, other = logs(lively), logs(second_symbol(lively))
    expected = [(own[t] - own[t - 5]) - (other[t] - other[t - 5]) for t in range(5, len(own))]
    values = values_of(RelativeStrength(symbol=OTHER, periods=5), lively)
    np.testing.assert_allclose(values.iloc[5:], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("feature", "constant"),
    [
        (SpreadZscore(symbol="A"), 0.0),
        (RelativeStrength(symbol="A"), 0.0),
        (Beta(symbol="A"), 1.0),
        (Correlation(symbol="A"), 1.0),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_cross_feature_of_the_symbol_itself_is_constant(
    feature, constant: float, lively
) -> None:
    values = feature.compute_for_symbol({"A": lively}, "A").iloc[feature.warmup :]
    np.testing.assert_array_equal(values, np.full(len(values), constant))


def market(bars: pd.DataFrame, *symbols: str) -> Market:
    own = dict.fromkeys(symbols, bars) | {"B": second_symbol(bars)}
    table = pd.concat([frame.assign(symbol=symbol) for symbol, frame in own.items()])
    table = table.reset_index().sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(table, tuple(own), "1d", "24/7", 365.0, {})


def test_a_symbol_without_own_columns_is_allowed(lively) -> None:
    beta = Beta(symbol="B", window=N)
    built = build_features(market(lively, "A"), [LogReturn(), beta], ["A"])
    assert built.names == ("A:log_return_1", "A:beta_B_40")
    expected = beta.compute(lively, second_symbol(lively))
    np.testing.assert_array_equal(built.values[:, 1], expected)


def test_an_unknown_symbol_is_an_error(lively) -> None:
    with pytest.raises(UsageError) as caught:
        build_features(market(lively, "A"), [Beta(symbol="C")], ["A"])
    told = str(caught.value)
    assert "expected: one of A, B" in told
    assert "found: C" in told
    assert caught.value.where == "features: beta_C_60"

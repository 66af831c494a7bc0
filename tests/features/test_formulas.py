"""Every feature against its formula, written out bar by bar."""

from __future__ import annotations

from itertools import pairwise
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from ta.volatility import BollingerBands

from engine.features.config import (
    BollingerPercent,
    BollingerWidth,
    HighLowRange,
    LogReturn,
    Macd,
    Obv,
    Rsi,
    SimpleReturn,
    Volatility,
    VolumeZscore,
    Vwap,
)
from engine.features.rolling import mean_and_deviation, zscore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from engine.features.base import Indicator


def windows(values: Sequence[float], size: int) -> list[Sequence[float]]:
    return [values[end - size : end] for end in range(size, len(values) + 1)]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def deviation(values: Sequence[float], ddof: int = 0) -> float:
    if len(set(values)) == 1:
        return 0.0
    centre = mean(values)
    return sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - ddof))


def score(values: Sequence[float]) -> float:
    return (values[-1] - mean(values)) / deviation(values) if len(set(values)) > 1 else 0.0


def exponential_mean(values: Sequence[float], weight: float) -> list[float]:
    smooth = [values[0]]
    for value in values[1:]:
        smooth.append(smooth[-1] + weight * (value - smooth[-1]))
    return smooth


def rsi(bars: pd.DataFrame) -> list[float]:
    changes = [b - a for a, b in pairwise(bars["close"].tolist())]
    up = exponential_mean([max(change, 0.0) for change in changes], 1 / 14)
    down = exponential_mean([max(-change, 0.0) for change in changes], 1 / 14)
    return [u / (u + d) for u, d in zip(up, down, strict=True)]


def macd(bars: pd.DataFrame) -> list[float]:
    close = bars["close"].tolist()
    fast, slow = exponential_mean(close, 2 / 13), exponential_mean(close, 2 / 27)
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    signal = exponential_mean(line, 2 / 10)
    return [(m - s) / c for m, s, c in zip(line, signal, close, strict=True)]


def bollinger_percent(bars: pd.DataFrame) -> list[float]:
    values = []
    for window in windows(bars["close"].tolist(), 20):
        lower, upper = (mean(window) + side * 2 * deviation(window) for side in (-1, 1))
        values.append((window[-1] - lower) / (upper - lower) if upper > lower else 0.5)
    return values


def bollinger_width(bars: pd.DataFrame) -> list[float]:
    return [4 * deviation(w) / mean(w) for w in windows(bars["close"].tolist(), 20)]


def vwap(bars: pd.DataFrame) -> list[float]:
    rows = list(zip(bars["high"], bars["low"], bars["close"], bars["volume"], strict=True))
    values = []
    for window in windows(rows, 14):
        volume = sum(v for *_, v in window)
        paid = sum((h + lo + c) / 3 * v for h, lo, c, v in window)
        values.append(window[-1][2] / (paid / volume) - 1 if volume else 0.0)
    return values


def obv(bars: pd.DataFrame) -> list[float]:
    total, totals = 0.0, [0.0]
    for (before, close), volume in zip(pairwise(bars["close"]), bars["volume"][1:], strict=True):
        total += volume if close > before else -volume if close < before else 0.0
        totals.append(total)
    return [score(w) for w in windows([b - a for a, b in pairwise(totals)], 20)]


def volatility(bars: pd.DataFrame) -> list[float]:
    returns = [log(b / a) for a, b in pairwise(bars["close"])]
    return [deviation(w, ddof=1) for w in windows(returns, 20)]


@pytest.mark.parametrize(
    ("feature", "formula"),
    [
        (SimpleReturn(), lambda bars: [b / a - 1 for a, b in pairwise(bars["close"])]),
        (
            LogReturn(periods=3),
            lambda bars: [log(w[-1] / w[0]) for w in windows(bars["close"].tolist(), 4)],
        ),
        (
            HighLowRange(),
            lambda b: [(h - lo) / c for h, lo, c in b[["high", "low", "close"]].to_numpy()],
        ),
        (Rsi(), rsi),
        (Macd(), macd),
        (BollingerPercent(), bollinger_percent),
        (BollingerWidth(), bollinger_width),
        (Vwap(), vwap),
        (Obv(), obv),
        (Volatility(), volatility),
        (VolumeZscore(), lambda bars: [score(w) for w in windows(bars["volume"].tolist(), 20)]),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_feature_equals_its_formula(
    feature: Indicator, formula: Callable[[pd.DataFrame], list[float]], bars: pd.DataFrame
) -> None:
    values = feature.compute(bars).iloc[feature.warmup :].to_numpy()
    # After the warm-up the first bar of the reference does not matter.
    tolerance = {"rsi": 2e-4, "macd": 1e-5}.get(feature.kind, 1e-9)
    np.testing.assert_allclose(values, formula(bars)[-len(values) :], rtol=0, atol=tolerance)


def test_rsi_approaches_its_formula_after_the_first_bars(
    bars: pd.DataFrame,
) -> None:
    tail = 300
    values = Rsi().compute(bars).iloc[-tail:]
    np.testing.assert_allclose(values, rsi(bars)[-tail:], rtol=0, atol=1e-12)


def test_macd_approaches_its_formula_after_the_first_bars(
    bars: pd.DataFrame,
) -> None:
    tail = 300
    values = Macd().compute(bars).iloc[-tail:]
    np.testing.assert_allclose(values, macd(bars)[-tail:], rtol=0, atol=1e-12)


def test_bollinger_equals_ta_without_price_collapses(bars: pd.DataFrame) -> None:
    bands = BollingerBands(bars["close"], 20, 2)
    width = BollingerWidth().compute(bars)
    np.testing.assert_allclose(width * 100, bands.bollinger_wband(), rtol=1e-9, atol=1e-9)
    moves = width > 0
    percent = BollingerPercent().compute(bars)
    np.testing.assert_allclose(percent[moves], bands.bollinger_pband()[moves], rtol=0, atol=1e-7)


def test_a_huge_value_outside_the_window_does_not_affect_the_deviation() -> None:
    values = np.r_[1e13, np.linspace(1e-3, 2e-3, 40)]
    _, with_it = mean_and_deviation(values, 20)
    _, without = mean_and_deviation(values[1:], 20)
    np.testing.assert_array_equal(with_it[20:], without[19:])


def test_a_constant_window_has_its_value_as_mean_and_zero_deviation() -> None:
    mean_, deviation_ = mean_and_deviation(np.full(30, 0.1), 20)
    assert set(mean_[19:]) == {0.1}
    assert set(deviation_[19:]) == {0.0}


def test_a_rolling_zscore_treats_columns_independently() -> None:
    values = np.random.default_rng(5).normal(size=(50, 3))
    columns = [zscore(column, 20) for column in values.T]
    np.testing.assert_array_equal(zscore(values, 20), np.column_stack(columns))


def test_a_rolling_zscore_is_nan_where_its_window_has_a_nan() -> None:
    values = np.r_[np.nan, np.arange(6.0)]
    assert np.isnan(zscore(values, 3)).tolist() == [True, True, True, False, False, False, False]

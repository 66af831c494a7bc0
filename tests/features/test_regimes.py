"""Regime labels against plain counting; later bars never change a label."""

from __future__ import annotations

import statistics
from itertools import pairwise
from math import log, sqrt

import numpy as np
import pandas as pd

from engine.features.config import TrendRegime, VolatilityRegime
from engine.features.rolling import midrank


def returns(bars: pd.DataFrame) -> list[float]:
    return [log(b / a) for a, b in pairwise(bars["close"])]


def test_a_volatility_is_ranked_in_its_recent_history(bars: pd.DataFrame) -> None:
    part = bars.iloc[1000:1300]
    moves, window, history = returns(part), 10, 60
    deviations = [
        statistics.stdev(moves[end - window : end]) for end in range(window, len(moves) + 1)
    ]
    labels = []
    for end in range(history, len(deviations) + 1):
        last = deviations[end - history : end]
        below = sum(one < last[-1] for one in last)
        share = (below + 0.5) / history
        labels.append(-1 if share < 1 / 3 else 1 if share > 2 / 3 else 0)
    found = VolatilityRegime(window=window, history=history).compute(part)
    assert found.dropna().tolist() == labels
    assert set(labels) == {-1, 0, 1}


def test_a_trend_is_a_mean_return_beyond_its_standard_error(bars: pd.DataFrame) -> None:
    part = bars.iloc[1000:1300]
    moves, labels = returns(part), []
    for end in range(40, len(moves) + 1):
        last = moves[end - 40 : end]
        score = statistics.fmean(last) / (statistics.stdev(last) / sqrt(40))
        labels.append(0 if abs(score) <= 1.5 else int(np.sign(score)))
    found = TrendRegime(window=40, threshold=1.5).compute(part)
    assert found.dropna().tolist() == labels
    assert set(labels) == {-1, 0, 1}


def test_volatility_regimes_separate_low_from_high_volatility() -> None:
    rng = np.random.default_rng(3)
    deviation = np.repeat([0.01, 0.01, 0.04, 0.002], 300)
    close = 100 * np.exp(np.cumsum(deviation * rng.standard_normal(1200)))
    days = pd.date_range("2020-01-01", periods=1200, tz="UTC")
    label = VolatilityRegime().compute(pd.DataFrame({"close": close}, index=days)).to_numpy()
    assert set(label[625:700]) == {1.0}
    assert set(label[925:1000]) == {-1.0}


def test_midrank_counts_lower_values_twice_and_ties_once() -> None:
    ranks = midrank(np.array([3.0, 1.0, 2.0, 2.0, 9.0, 0.0, 0.0]), 3)
    assert ranks[2:].tolist() == [3, 4, 5, 1, 2]
    assert np.isnan(ranks[:2]).all()

"""How far test rows lie from train rows, and what is told of each feature."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from engine.features.build import FeatureMatrix
from engine.features.config import Beta, CalendarFeature, LogReturn, Vwap
from engine.features.distribution_shift import kolmogorov_smirnov
from engine.features.summary import coarse_bars_known_at, summarise_features


@pytest.mark.parametrize(
    ("train", "test", "distance"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 0.0),
        ([1, 2], [3, 4], 1.0),
        ([5, 6], [1], 1.0),
        ([0, 0, 0, 1], [0, 1], 0.25),
        ([-1, 0, 1], [1, 1, 1], 2 / 3),
    ],
)
def test_the_distance_is_the_largest_between_the_two_shares(train, test, distance) -> None:
    assert kolmogorov_smirnov(np.array(train), np.array(test)) == pytest.approx(distance)


def test_the_distance_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1939)
    for _ in range(20):
        sizes = rng.integers(1, 200, 2)
        train, test = (np.round(rng.normal(rng.uniform(-1, 1), 1, n), 1) for n in sizes)
        theirs = ks_2samp(train, test, method="asymp").statistic
        assert kolmogorov_smirnov(train, test) == pytest.approx(theirs, abs=1e-12)


def test_base_rows_reach_the_coarse_bars_that_were_the_newest_at_their_closes() -> None:
    latest = np.array([-1, 0, 0, 1, 1, 2])
    assert coarse_bars_known_at(latest, range(1, 4)) == range(2)
    assert coarse_bars_known_at(latest, range(4, 6)) == range(1, 3)
    assert coarse_bars_known_at(latest, range(3, 5)) == range(1, 2)


def test_each_column_is_told_with_its_inputs_its_range_and_its_drift_in_each_window() -> None:
    nan = np.nan
    values = np.array(
        [[nan, nan, 0, 1], [1, nan, 0, 1], [2, nan, 0, 1], [3, nan, 1, 5], [4, nan, 1, 5]],
        dtype=np.float64,
    )
    features = FeatureMatrix(
        timestamps=pd.date_range("2024-01-01", periods=5, tz="UTC"),
        values=values,
        names=(),
        symbol_columns=(("A", (0, 1)), ("B", (2, 3))),
        warmup=1,
    )
    specs = (LogReturn(), Beta(symbol="B"))
    windows = [(range(1, 2), range(2, 3)), (range(1, 3), range(2, 5))]
    first, _, third, _ = summarise_features(features, specs, windows[:1])
    assert (first.symbol, first.name, first.input_columns) == ("A", "log_return_1", ("close",))
    assert (first.warmup, first.nan_bars, first.low, first.high) == (1, 1, 1.0, 4.0)
    assert first.ks_by_window == (1.0,)
    assert (third.symbol, third.nan_bars, third.ks_by_window) == ("B", 0, (0.0,))
    assert summarise_features(features, specs, windows)[2].ks_by_window == pytest.approx(
        (0.0, 2 / 3)
    )


def test_a_feature_says_what_decides_it() -> None:
    assert Vwap().input_columns == ("high", "low", "close", "volume")
    assert Beta(symbol="ETH-USD").input_columns == ("close", "ETH-USD:close")
    assert CalendarFeature().input_columns == ("time",)

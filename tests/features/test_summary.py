"""Summaries of features: inputs, range, and distribution shift from train to test rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.features.build import FeatureMatrix
from engine.features.config import Beta, CalendarFeature, LogReturn, Vwap
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
def test_ks_distance_is_the_largest_difference_of_the_cumulative_shares(
    train, test, distance
) -> None:
    values = np.array([*train, *test], dtype=np.float64)
    stamps = pd.date_range("2024-01-01", periods=len(values), tz="UTC")
    features = FeatureMatrix(stamps, values[:, None], ("A:log_return_1",), (("A", (0,)),), 0)
    windows = [(range(len(train)), range(len(train), len(values)))]
    (summary,) = summarise_features(features, (LogReturn(),), windows)
    assert summary.ks_by_window == pytest.approx((distance,))


def test_base_rows_map_to_the_newest_coarse_bars() -> None:
    latest = np.array([-1, 0, 0, 1, 1, 2])
    assert coarse_bars_known_at(latest, range(1, 4)) == range(2)
    assert coarse_bars_known_at(latest, range(4, 6)) == range(1, 3)
    assert coarse_bars_known_at(latest, range(3, 5)) == range(1, 2)


def test_a_summary_holds_inputs_range_and_ks_distance_by_window() -> None:
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


def test_bars_that_a_symbol_of_a_panel_lacks_count_for_nothing() -> None:
    values = np.array([[np.nan], [1.0], [np.nan], [2.0], [np.nan], [np.nan]])
    stamps = pd.date_range("2024-01-01", periods=6, tz="UTC")
    features = FeatureMatrix(stamps, values, (), (("A", (0,)),), warmup=1)
    present = pd.DataFrame({"A": [True, True, False, True, False, False]}, index=stamps)
    windows = [(range(3), range(2, 4)), (range(4), range(4, 6))]
    (summary,) = summarise_features(features, (LogReturn(),), windows, present)
    assert summary.nan_bars == 1
    assert summary.ks_by_window == (1.0, None)


def test_input_columns_name_what_a_feature_depends_on() -> None:
    assert Vwap().input_columns == ("high", "low", "close", "volume")
    assert Beta(symbol="ETH-USD").input_columns == ("close", "ETH-USD:close")
    assert CalendarFeature().input_columns == ("time",)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UsageError
from engine.data.market import Market
from engine.features.build import build_features
from engine.features.config import LogReturn, Rsi, SimpleReturn, Volatility, VolumeZscore
from engine.features.target import forward_returns

if TYPE_CHECKING:
    from engine.features.config import Feature


def market(bars: pd.DataFrame) -> Market:
    """Two symbols; the price of the second is the square root of the first."""
    second = bars.assign(
        **{name: np.sqrt(bars[name]) for name in ("open", "high", "low", "close")}
    )
    long = pd.concat([bars.assign(symbol="BTC-USD"), second.assign(symbol="ETH-USD")])
    return Market(
        bars=long.reset_index().sort_values(["timestamp", "symbol"], ignore_index=True),
        symbols=("BTC-USD", "ETH-USD"),
        interval="1d",
        calendar="24/7",
        periods_per_year=365.25,
        provenance={},
    )


def test_columns_are_grouped_by_symbol_in_the_requested_order(bars: pd.DataFrame) -> None:
    built = build_features(market(bars), [LogReturn(), Rsi()], ["ETH-USD", "BTC-USD"])
    assert built.names == (
        "ETH-USD:log_return_1",
        "ETH-USD:rsi_14",
        "BTC-USD:log_return_1",
        "BTC-USD:rsi_14",
    )
    assert built.symbol_columns == (("ETH-USD", (0, 1)), ("BTC-USD", (2, 3)))
    assert built.timestamps.equals(bars.index)
    np.testing.assert_array_equal(built.values[:, 3], Rsi().compute(bars))
    np.testing.assert_allclose(built.values[1:, 0], built.values[1:, 2] / 2, atol=1e-12)


def test_the_warmup_is_that_of_the_slowest_feature(bars: pd.DataFrame) -> None:
    built = build_features(market(bars), [LogReturn(), Rsi(), Volatility()], ["BTC-USD"])
    assert built.warmup == Rsi().warmup
    assert np.isnan(built.values[built.warmup - 1]).any()
    assert np.isfinite(built.values[built.warmup :]).all()


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([Rsi(), LogReturn(), Rsi(window=14)], "found: rsi_14"),
        ([], "No feature is listed"),
    ],
)
def test_a_repeated_feature_and_an_empty_list_are_errors(
    bars: pd.DataFrame, features: list[Feature], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        build_features(market(bars), features, ["BTC-USD"])
    assert said in str(caught.value)
    assert caught.value.where == "features"


def test_the_same_kind_with_other_parameters_is_another_feature(bars: pd.DataFrame) -> None:
    built = build_features(market(bars), [SimpleReturn(), SimpleReturn(periods=5)], ["BTC-USD"])
    assert built.names == ("BTC-USD:return_1", "BTC-USD:return_5")


def test_a_value_that_is_not_finite_names_symbol_feature_and_bar(bars: pd.DataFrame) -> None:
    broken = bars.copy()
    broken.loc[broken.index[100], "volume"] = np.nan
    with pytest.raises(InvalidBarsError) as caught:
        build_features(market(broken), [VolumeZscore()], ["BTC-USD"])
    assert "volume_zscore_20 of BTC-USD" in str(caught.value)
    assert "20 bars, the first 2013-08-07" in str(caught.value)


def test_the_target_at_t_is_the_return_over_the_next_horizon_bars() -> None:
    days = pd.date_range("2020-01-01", periods=4, tz="UTC", name="timestamp")
    close = pd.DataFrame({"A": [100.0, 110.0, 99.0, 198.0], "B": [1.0, 2.0, 4.0, 2.0]}, index=days)
    target = forward_returns(close, 2)
    np.testing.assert_allclose(target["A"], [-0.01, 0.8, np.nan, np.nan])
    np.testing.assert_allclose(target["B"], [3.0, 0.0, np.nan, np.nan])


def test_the_target_is_unknown_in_the_last_horizon_bars() -> None:
    days = pd.date_range("2020-01-01", periods=10, tz="UTC", name="timestamp")
    close = pd.DataFrame({"A": np.arange(1.0, 11.0)}, index=days)
    for horizon in (1, 3, 9):
        known = forward_returns(close, horizon)["A"].notna()
        assert known.tolist() == [True] * (10 - horizon) + [False] * horizon

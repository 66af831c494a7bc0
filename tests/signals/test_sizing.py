from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import TrainingError, UsageError
from engine.signals.config import (
    FixedSizing,
    IntervalSizing,
    ProportionalSizing,
    VolatilityTargetSizing,
)
from engine.signals.inputs import SignalInputs

DAYS = pd.date_range("2020-01-01", periods=40, tz="UTC", name="timestamp")


@pytest.fixture
def close() -> pd.DataFrame:
    """40 closes of two symbols; a third that is not traded."""
    moves = np.random.default_rng(8).normal(0, [0.01, 0.04, 0.02], (40, 3))
    return pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), index=DAYS, columns=["A", "B", "C"])


def of(predicted: pd.DataFrame, **more: Any) -> SignalInputs:
    """Forecasts of one window."""
    train = {symbol: predicted[symbol].to_numpy() for symbol in predicted}
    return SignalInputs(predicted, np.zeros(len(predicted), dtype=np.int64), {0: train}, **more)


def bars(**columns: list[float]) -> pd.DataFrame:
    """A few bars, one column per symbol."""
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=DAYS[:rows], dtype="float64")


@pytest.fixture
def forecasts() -> SignalInputs:
    """The last 10 bars of the two traded symbols."""
    values = np.random.default_rng(9).normal(0, 0.02, (10, 2))
    return of(pd.DataFrame(values, index=DAYS[-10:], columns=["A", "B"]))


def test_a_fixed_size_is_constant(forecasts: SignalInputs, close: pd.DataFrame) -> None:
    sizes = FixedSizing(weight=0.4).compute_sizes(forecasts, close, 365)
    assert sizes.shape == forecasts.predicted.shape
    assert (sizes == 0.4).all(axis=None)


@pytest.mark.parametrize(
    ("bps", "size"), [(25, 0.25), (-25, 0.25), (100, 1.0), (400, 1.0), (0, 0.0)]
)
def test_a_proportional_size_grows_with_the_prediction_up_to_1(bps: float, size: float) -> None:
    predicted = pd.DataFrame({"A": [bps / 10_000]}, index=DAYS[:1])
    sizes = ProportionalSizing(full_bps=100).compute_sizes(of(predicted), predicted, 365)
    assert sizes.iloc[0, 0] == pytest.approx(size)


def test_a_volatility_target_is_divided_by_recent_volatility(
    forecasts: SignalInputs, close: pd.DataFrame
) -> None:
    sizes = VolatilityTargetSizing(target_pct_per_year=30, window=15).compute_sizes(
        forecasts, close, 252
    )
    for day, symbol in ((DAYS[-10], "A"), (DAYS[-1], "B")):
        last = close.loc[:day, symbol].to_numpy()[-16:]
        volatility = np.std(last[1:] / last[:-1] - 1, ddof=1) * np.sqrt(252)
        assert sizes.loc[day, symbol] == pytest.approx(0.3 / volatility)
    assert list(sizes.columns) == ["A", "B"]


def test_zero_volatility_leaves_the_size_unlimited(
    forecasts: SignalInputs, close: pd.DataFrame
) -> None:
    sizes = VolatilityTargetSizing().compute_sizes(forecasts, close * 0 + 0.1, 365)
    assert np.isposinf(sizes).all(axis=None)


def test_too_few_closes_for_the_volatility_are_an_error(
    forecasts: SignalInputs, close: pd.DataFrame
) -> None:
    VolatilityTargetSizing(window=30).compute_sizes(forecasts, close, 365)
    with pytest.raises(UsageError) as caught:
        VolatilityTargetSizing(window=31).compute_sizes(forecasts, close, 365)
    assert "expected: 32 closes up to the first out-of-sample bar" in str(caught.value)
    assert "found: 31" in str(caught.value)
    assert caught.value.where == "sizing.window"


def test_an_interval_size_is_the_forecast_over_its_width() -> None:
    predicted = bars(A=[0.002, -0.004, 0.01, 0.0])
    quantiles = {0.1: bars(A=[-0.03] * 4), 0.9: bars(A=[0.05, 0.05, 0.01, 0.05])}
    sizes = IntervalSizing(full_ratio=0.1).compute_sizes(
        of(predicted, quantiles=quantiles), predicted, 365
    )
    # 20 of 800 bps, 40 of 800, 100 of 400 (more than full), nothing.
    np.testing.assert_allclose(sizes["A"], [0.25, 0.5, 1.0, 0.0])


def test_a_wider_interval_gives_a_smaller_size() -> None:
    predicted = bars(A=[0.002])
    narrow = {0.1: bars(A=[-0.02]), 0.25: bars(A=[-0.01]), 0.75: bars(A=[0.01])}
    quantiles = narrow | {0.9: bars(A=[0.02])}
    forecasts = of(predicted, quantiles=quantiles)
    wide = IntervalSizing(low=0.1, high=0.9, full_ratio=1).compute_sizes(forecasts, predicted, 365)
    half = IntervalSizing(low=0.25, high=0.75, full_ratio=1).compute_sizes(
        forecasts, predicted, 365
    )
    assert wide.loc[DAYS[0], "A"] == pytest.approx(0.05)
    assert half.loc[DAYS[0], "A"] == pytest.approx(0.1)


def test_an_interval_without_width_gives_the_full_size() -> None:
    predicted = bars(A=[0.001, 0.0])
    quantiles = {0.1: predicted, 0.9: predicted}
    sizes = IntervalSizing().compute_sizes(of(predicted, quantiles=quantiles), predicted, 365)
    assert sizes["A"].tolist() == [1.0, 0.0]


def test_interval_sizing_falls_back_to_validation_errors() -> None:
    predicted = bars(A=[0.002, 0.002])
    window = np.array([0, 1])
    residuals = {0: {"A": np.linspace(-0.01, 0.01, 101)}, 1: {"A": np.linspace(0.0, 0.04, 101)}}
    forecasts = replace(
        of(predicted, residuals=residuals),
        window=window,
        train_predictions={0: {"A": np.zeros(3)}, 1: {"A": np.zeros(3)}},
    )
    np.testing.assert_allclose(forecasts.quantile(0.1)["A"], [0.002 - 0.008, 0.002 + 0.004])
    np.testing.assert_allclose(forecasts.quantile(0.9)["A"], [0.002 + 0.008, 0.002 + 0.036])
    sizes = IntervalSizing(full_ratio=0.25).compute_sizes(forecasts, predicted, 365)
    np.testing.assert_allclose(sizes["A"], [0.002 / 0.016 / 0.25, 0.002 / 0.032 / 0.25])


def test_a_quantile_that_is_nan_is_an_error() -> None:
    predicted = bars(A=[0.002, 0.002])
    broken = {0.1: bars(A=[-0.01, float("nan")]), 0.9: bars(A=[0.01, 0.01])}
    with pytest.raises(TrainingError, match="A at 2020-01-02"):
        of(predicted, quantiles=broken)

"""Rolling figures: against loops that look at the last bars of every bar anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics import return_metrics, trade_metrics
from engine.evaluation.metrics.rolling import (
    rolling_beta,
    rolling_sharpe,
    rolling_turnover,
    rolling_volatility,
    rolling_window_length,
)

BARS, WINDOW, PERIODS = 120, 30, 252.0


def days(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2020-01-01", periods=count, tz="UTC", name="timestamp")


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    values = np.random.default_rng(3).normal(0.0005, 0.01, (BARS, 2))
    values[40:80, 0] = 0.0  # out of the market for longer than the window
    return pd.DataFrame(values, index=days(BARS), columns=["strategy", "buy_and_hold"])


def table(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"strategy": values}, index=days(len(values)))


def test_sharpe_is_mean_over_sample_deviation_annualised() -> None:
    result = rolling_sharpe(table([0.01, 0.03, 0.02]), window=2, periods_per_year=4)["strategy"]
    assert np.isnan(result.iloc[0])
    assert result.iloc[1:].tolist() == pytest.approx([2.8284271, 7.0710678])


def test_constant_returns_have_no_sharpe_ratio_and_zero_volatility() -> None:
    flat = table([0.3, 0.1, 0.1, 0.1])
    assert np.isnan(rolling_sharpe(flat, window=3, periods_per_year=252)["strategy"].iloc[-1])
    assert rolling_volatility(flat, window=3, periods_per_year=252)["strategy"].iloc[-1] == 0.0


def test_sharpe_and_volatility_use_the_last_bars_only(returns: pd.DataFrame) -> None:
    terms = {"window": WINDOW, "periods_per_year": PERIODS}
    sharpe, volatility = (
        rolling_sharpe(returns, **terms),
        rolling_volatility(returns, **terms),
    )
    for book in returns:
        values = returns[book].to_numpy()
        for row in range(BARS):
            last = values[row - WINDOW + 1 : row + 1]
            if row < WINDOW - 1:
                assert np.isnan([sharpe[book].iloc[row], volatility[book].iloc[row]]).all()
                continue
            expected = return_metrics.sharpe(last, PERIODS)
            result = sharpe[book].iloc[row]
            assert np.isnan(result) if expected is None else result == pytest.approx(expected)
            assert volatility[book].iloc[row] == pytest.approx(
                return_metrics.annualised_volatility(last, PERIODS), abs=1e-9
            )


def test_beta_is_the_slope_of_a_regression_on_the_last_bars(returns: pd.DataFrame) -> None:
    mine, held = returns["strategy"], returns["buy_and_hold"]
    result = rolling_beta(mine, held, window=WINDOW)
    assert result.iloc[: WINDOW - 1].isna().all()
    for row in range(WINDOW - 1, BARS):
        rows = slice(row - WINDOW + 1, row + 1)
        slope, _ = np.polyfit(held.to_numpy()[rows], mine.to_numpy()[rows], 1)
        assert result.iloc[row] == pytest.approx(slope, abs=1e-9)


def test_a_constant_benchmark_has_no_beta() -> None:
    still = pd.Series(0.0, index=days(5))
    moving = pd.Series([0.1, -0.1, 0.2, 0.0, 0.1], index=days(5))
    assert rolling_beta(moving, still, window=3).isna().all()


def test_turnover_is_that_of_the_fills_of_the_last_bars() -> None:
    rng = np.random.default_rng(8)
    index = days(BARS)
    bars = np.sort(rng.integers(0, 90, 50))  # two symbols may fill on one bar; later bars: none
    trades = pd.DataFrame(
        {
            "timestamp": index[bars],
            "size": rng.random(50),
            "price": 50 + rng.random(50),
            "equity": 1 + rng.random(50),
        }
    )
    result = rolling_turnover(trades, index, window=WINDOW, periods_per_year=PERIODS)
    for row in range(WINDOW - 1, BARS):
        last = trades[(bars > row - WINDOW) & (bars <= row)]
        expected = trade_metrics.turnover_per_year(last, WINDOW, PERIODS)
        assert result.iloc[row] == pytest.approx(expected, abs=1e-9)
    assert (result.dropna() >= 0).all()
    assert result.iloc[: WINDOW - 1].isna().all()


def test_the_window_is_a_year_or_a_quarter_of_a_short_span() -> None:
    assert rolling_window_length(3900, 252.0) == 252
    assert rolling_window_length(400, 365.0) == 100
    assert rolling_window_length(30, 252.0) == 20

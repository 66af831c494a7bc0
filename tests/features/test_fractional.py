"""Fractional differences against the binomial series."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import binom

from engine.features.config import FractionalDifference, LogReturn
from engine.features.fractional import binomial_weights

if TYPE_CHECKING:
    import pandas as pd


def test_weights_are_the_binomial_series() -> None:
    assert binomial_weights(0.4, 4) == pytest.approx([1, -0.4, -0.12, -0.064])
    lags = np.arange(50)
    np.testing.assert_allclose(binomial_weights(0.7, 50), (-1.0) ** lags * binom(0.7, lags))


def test_it_equals_the_difference_of_logs_relative_to_the_oldest(
    bars: pd.DataFrame,
) -> None:
    width, order = 30, 0.4
    close = bars["close"].iloc[1000:1200].tolist()
    weights = [1.0]
    for k in range(1, width + 1):
        weights.append(-weights[-1] * (order - k + 1) / k)
    expected = [
        sum(weights[k] * log(close[t - k] / close[t - width]) for k in range(width + 1))
        for t in range(width, len(close))
    ]
    values = FractionalDifference(order=order, window=width).compute(bars.iloc[1000:1200])
    np.testing.assert_allclose(values.iloc[width:], expected, rtol=0, atol=1e-12)


def test_it_differs_from_lopez_de_prado_by_the_unit_of_prices(
    bars: pd.DataFrame,
) -> None:
    width, part = 30, bars.iloc[1000:1200]
    price = np.log(part["close"].to_numpy())
    weights = binomial_weights(0.4, width + 1)
    theirs = np.convolve(price, weights, mode="valid")
    ours = FractionalDifference(window=width).compute(part).to_numpy()[width:]
    np.testing.assert_allclose(theirs - ours, weights.sum() * price[:-width], atol=1e-12)


def test_orders_near_one_and_zero_are_last_and_window_return(
    bars: pd.DataFrame,
) -> None:
    nearly = FractionalDifference(order=1 - 1e-12, window=30).compute(bars).iloc[30:]
    hardly = FractionalDifference(order=1e-12, window=30).compute(bars).iloc[30:]
    np.testing.assert_allclose(nearly, LogReturn().compute(bars).iloc[30:], atol=1e-10)
    np.testing.assert_allclose(hardly, LogReturn(periods=30).compute(bars).iloc[30:], atol=1e-10)

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from engine.evaluation.inference.hac import (
    HacInterval,
    hac_interval,
    plug_in_bandwidth,
    sharpe_influence,
)
from engine.evaluation.metrics.return_metrics import sharpe


def noise(seed: int, bars: int = 700, mean: float = 0.1) -> np.ndarray:
    return 0.01 * (np.random.default_rng(seed).standard_normal(bars) + mean)


def autoregressive(seed: int, bars: int, rho: float) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_normal(bars + 100)
    return lfilter([1.0], [1.0, -rho], shocks)[100:] * np.sqrt(1 - rho**2)


def test_the_interval_lies_evenly_about_the_sharpe_ratio_of_the_metrics_table() -> None:
    returns = noise(1)
    interval = hac_interval(returns, 365, 0.95)
    assert interval.estimate == sharpe(returns, 365)
    assert (interval.low + interval.high) / 2 == pytest.approx(interval.estimate)
    reach = 1.959963984540054 * interval.standard_error
    assert interval.high == pytest.approx(interval.estimate + reach)


def test_independent_normal_returns_have_the_standard_error_of_lo() -> None:
    # Lo (2002), equation 9: sqrt((1 + S^2 / 2) / n).
    interval = hac_interval(noise(2, 50_000, 0.8), 1.0, 0.95)
    assert interval.standard_error == pytest.approx(np.sqrt((1 + 0.8**2 / 2) / 50_000), rel=0.02)


def test_the_influence_values_have_the_variance_of_mertens() -> None:
    from scipy.stats import kurtosis, skew

    returns = np.random.default_rng(3).gamma(2.0, 0.01, 500) - 0.01
    ratio = returns.mean() / returns.std()
    influence = sharpe_influence(returns)
    assert influence.mean() == pytest.approx(0.0, abs=1e-12)
    expected = 1 - skew(returns) * ratio + (kurtosis(returns, fisher=False) - 1) / 4 * ratio**2
    assert influence.var() == pytest.approx(expected, rel=1e-12)


def test_influence_is_the_derivative_of_the_ratio_by_the_weight_of_a_bar() -> None:
    returns, step = noise(4, 60), 1e-6
    weights = np.full((60, 60), (1 - step) / 60) + step * np.eye(60)
    means = weights @ returns
    ratios = means / np.sqrt(weights @ returns**2 - means**2)
    slopes = (ratios - returns.mean() / returns.std()) / step
    np.testing.assert_allclose(slopes, sharpe_influence(returns), atol=1e-4)


@pytest.mark.parametrize("rho", [-0.3, 0.3])
def test_the_error_is_the_delta_method_on_statsmodels_hac_covariance(rho: float) -> None:
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    returns = autoregressive(5, 400, rho) + 0.1
    # The moments r and r^2, whitened by the coefficient that the influence values have.
    moments = np.column_stack([returns, returns**2])
    mean, square = moments.mean(axis=0)
    influence = sharpe_influence(returns)
    filtered = influence[1:] @ influence[:-1] / (influence[:-1] @ influence[:-1])
    centred = moments - moments.mean(axis=0)
    white = centred[1:] - filtered * centred[:-1]
    bandwidth = plug_in_bandwidth(influence[1:] - filtered * influence[:-1])

    def quadratic_spectral(lags: int) -> np.ndarray:
        angle = 6 * np.pi * np.arange(1, lags + 1) / (5 * bandwidth)
        return np.append(1.0, 3 / angle**2 * (np.sin(angle) / angle - np.cos(angle)))

    bars = len(white)
    covariance = S_hac_simple(white, bars - 1, quadratic_spectral) / bars / (1 - filtered) ** 2
    # Ledoit & Wolf (2008): the gradient of S = mean / sqrt(square - mean^2).
    gradient = np.array([square, -mean / 2]) / (square - mean**2) ** 1.5
    error = np.sqrt(gradient @ covariance @ gradient / 400 * 399 / 400)
    assert hac_interval(returns, 1.0, 0.95).standard_error == pytest.approx(error, rel=1e-9)


def test_autocorrelated_returns_have_a_wider_interval_than_shuffled_ones() -> None:
    returns = autoregressive(6, 2_000, 0.5) + 0.05
    shuffled = np.random.default_rng(7).permutation(returns)
    one, other = (hac_interval(each, 1.0, 0.95).standard_error for each in (returns, shuffled))
    assert one / other == pytest.approx(np.sqrt(3), rel=0.12)


@pytest.mark.parametrize("returns", [np.zeros(500), np.full(500, 0.01), noise(1, bars=29)])
def test_constant_returns_or_too_few_bars_have_no_inference(returns: np.ndarray) -> None:
    assert hac_interval(returns, 365, 0.95) == HacInterval()


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_a_nominal_95_percent_interval_covers_nearly_as_often(rho: float) -> None:
    covered = 0
    for seed in range(1_000):
        interval = hac_interval(autoregressive(seed, 750, rho) + 0.05, 1.0, 0.95)
        covered += interval.low <= 0.05 <= interval.high
    # Two standard errors of 1,000 draws are 1.4 %.
    assert 0.92 < covered / 1_000 < 0.965

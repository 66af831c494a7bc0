from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.inference.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

if TYPE_CHECKING:
    from pathlib import Path


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def autoregressive(generator: np.random.Generator, count: int, *coefficients: float) -> np.ndarray:
    values = generator.standard_normal(count)
    for row in range(len(coefficients), count):
        for lag, coefficient in enumerate(coefficients, 1):
            values[row] += coefficient * values[row - lag]
    return values


SERIES = {
    "random walk": np.cumsum(rng(1).standard_normal(160)),
    "price": 30_000 * np.exp(np.cumsum(0.03 * rng(2).standard_normal(250))),
    "returns": 0.02 * rng(3).standard_t(4, 200),
    "second order": autoregressive(rng(4), 200, 0.5, -0.3),
    "eighth lag": autoregressive(rng(5), 250, 0, 0, 0, 0, 0, 0, 0, 0.6),
    "far from 0": 1e4 + rng(6).standard_normal(120),
    "tiny": 1e-9 * np.cumsum(rng(7).standard_normal(100)),
    "short": rng(8).standard_normal(12),
    "explosive": 1.02 ** np.arange(200) + rng(9).standard_normal(200),
}
CRITERIA = [*((name, "bic") for name in SERIES), ("eighth lag", "aic"), ("random walk", "aic")]


@pytest.mark.parametrize(("name", "autolag"), CRITERIA)
def test_augmented_dickey_fuller_equals_statsmodels(name: str, autolag) -> None:
    from statsmodels.tsa.stattools import adfuller

    expected = adfuller(SERIES[name], autolag=autolag, result_object=True)
    result = augmented_dickey_fuller(SERIES[name], autolag=autolag)
    assert (result.lags, result.observations) == (expected.lags, expected.nobs)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-8)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("symbol", "level", "p_value", "change"),
    [
        ("BTC", -1.831855, 0.364765, -36.832969),
        ("ETH", -2.058319, 0.261601, -12.840660),
        ("XRP", -3.880291, 0.002185, -8.527811),
    ],
)
def test_augmented_dickey_fuller_equals_the_figures_of_livieris_2021(
    market_data: Path, symbol: str, level: float, p_value: float, change: float
) -> None:
    # The paper prints BTC's change for all three.
    closes = pd.read_csv(market_data / "livieris2021" / f"{symbol}.csv")["close"].to_numpy()
    result = augmented_dickey_fuller(closes)
    assert result.statistic == pytest.approx(level, abs=6e-7)
    assert result.p_value == pytest.approx(p_value, abs=6e-7)
    assert augmented_dickey_fuller(np.diff(closes)).statistic == pytest.approx(change, abs=6e-7)


@pytest.mark.parametrize(
    "values",
    [
        np.full(100, 7.0),
        np.arange(100.0),
        np.array([1.0, 2.0, 4.0]),
        np.array([1.0]),
        np.empty(0),
        np.sin(np.arange(500)),
        np.eye(32)[30],
    ],
    ids=["constant", "straight line", "three", "one", "none", "known from its past", "one flag"],
)
def test_exactly_predictable_series_have_no_unit_root_test(values: np.ndarray) -> None:
    assert augmented_dickey_fuller(values) == HypothesisTestResult()


@pytest.mark.parametrize("lags", [1, 5, 20])
@pytest.mark.parametrize("name", ["returns", "second order", "far from 0"])
def test_ljung_box_is_the_weighted_sum_of_squared_autocorrelations(name: str, lags: int) -> None:
    from scipy.stats import chi2

    count, centred = len(SERIES[name]), SERIES[name] - SERIES[name].mean()
    squares = [
        (centred[lag:] @ centred[:-lag] / (centred @ centred)) ** 2 / (count - lag)
        for lag in range(1, lags + 1)
    ]
    result = ljung_box(SERIES[name], lags)
    assert result.statistic == pytest.approx(count * (count + 2) * sum(squares), rel=1e-6)
    assert result.p_value == pytest.approx(chi2.sf(result.statistic, lags), rel=1e-9)
    assert (result.degrees, result.lags, result.observations) == (lags, lags, count)


def test_ljung_box_loses_a_degree_of_freedom_for_each_fitted_coefficient() -> None:
    from scipy.stats import chi2

    result = ljung_box(SERIES["returns"], 10, fitted=2)
    assert result.degrees == 8
    assert result.statistic == ljung_box(SERIES["returns"], 10).statistic
    assert result.p_value == pytest.approx(chi2.sf(result.statistic, 8), rel=1e-9)


@pytest.mark.parametrize("lags", [1, 4, 10])
def test_breusch_godfrey_equals_statsmodels_on_least_squares_residuals(lags: int) -> None:
    from statsmodels.api import OLS, add_constant
    from statsmodels.stats.diagnostic import acorr_breusch_godfrey

    regressors = rng(1).standard_normal((300, 3))
    values = regressors @ [1.0, 0.0, -2.0] + autoregressive(rng(2), 300, 0.15) + 4.0
    fit = OLS(values, add_constant(regressors)).fit()
    statistic, p_value, *_ = acorr_breusch_godfrey(fit, nlags=lags, result_object=True)
    result = breusch_godfrey(np.asarray(fit.resid), regressors, lags)
    assert result.statistic == pytest.approx(statistic, rel=1e-9)
    assert result.p_value == pytest.approx(p_value, rel=1e-9)
    assert (result.degrees, result.lags, result.observations) == (lags, lags, 300)


def test_breusch_godfrey_removes_what_the_regressors_still_explain() -> None:
    # A model that missed a slow feature: its residuals are autocorrelated by it alone.
    slow = autoregressive(rng(3), 600, 0.95)
    residuals = slow + rng(4).standard_normal(600) + 0.5
    assert ljung_box(residuals, 5).p_value < 1e-6
    assert breusch_godfrey(residuals, None, 5).p_value < 1e-6
    fitted = np.column_stack([slow, np.ones(600)])
    left = residuals - fitted @ np.linalg.lstsq(fitted, residuals)[0]
    past = np.column_stack([np.concatenate([np.zeros(lag), residuals[:-lag]]) for lag in (1, 2)])
    full = np.column_stack([fitted, past])
    rest = residuals - full @ np.linalg.lstsq(full, residuals)[0]
    result = breusch_godfrey(residuals, slow[:, None], 2)
    assert result.statistic == pytest.approx(600 * (1 - rest @ rest / (left @ left)))
    assert result.p_value > 0.05


def test_breusch_godfrey_allows_collinear_and_constant_regressors() -> None:
    residuals, regressor = rng(5).standard_normal(200), rng(6).standard_normal(200)
    once = breusch_godfrey(residuals, regressor[:, None], 3)
    thrice = np.column_stack([regressor, 1e6 * regressor, np.full(200, 2.0), np.zeros(200)])
    assert breusch_godfrey(residuals, thrice, 3).statistic == pytest.approx(once.statistic)


@pytest.mark.parametrize(
    "test", [lambda e: ljung_box(e, 3), lambda e: breusch_godfrey(e, None, 3)]
)
def test_too_few_or_constant_residuals_are_not_tested(test) -> None:
    assert test(np.zeros(50)) == HypothesisTestResult()
    assert test(np.full(50, 0.1)) == HypothesisTestResult()
    assert test(np.array([0.1, -0.2, 0.1, 0.3])) == HypothesisTestResult()
    assert test(np.empty(0)) == HypothesisTestResult()


def test_no_lag_or_no_degree_of_freedom_is_no_test() -> None:
    assert ljung_box(SERIES["returns"], 0) == HypothesisTestResult()
    assert ljung_box(SERIES["returns"], 2, fitted=2) == HypothesisTestResult()
    assert breusch_godfrey(SERIES["returns"], None, 0) == HypothesisTestResult()


@pytest.mark.parametrize(
    "test",
    [
        lambda e: ljung_box(e, 5),
        lambda e: breusch_godfrey(e, rng(1).standard_normal((200, 2)), 5),
    ],
)
def test_white_residuals_are_rejected_at_the_nominal_rate(test) -> None:
    generator = rng(12)
    rejected = [test(generator.standard_normal(200)).p_value < 0.05 for _ in range(400)]
    assert 0.02 < np.mean(rejected) < 0.09

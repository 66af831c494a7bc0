from __future__ import annotations

import numpy as np
import pytest
from statsmodels.api import OLS

from engine.evaluation.inference.hac import long_run_variance
from engine.evaluation.inference.regression import fit_hac_regression


def dependent(rng: np.random.Generator, rows: int, rho: float) -> np.ndarray:
    values = np.zeros(rows)
    for row, shock in enumerate(rng.normal(size=rows)):
        values[row] = shock + (rho * values[row - 1] if row else 0.0)
    return values


def test_the_line_is_statsmodels_and_errors_are_whites_where_rows_are_independent() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0.5, 1.0, 4000)
    y = 0.2 + 0.7 * x + rng.normal(size=4000) * (0.5 + np.abs(x))
    regression = fit_hac_regression(x, y)
    assert regression
    other = OLS(y, np.column_stack((np.ones(4000), x))).fit(cov_type="HC0")
    assert (regression.intercept, regression.slope) == pytest.approx(tuple(other.params))
    assert (regression.intercept_standard_error, regression.slope_standard_error) == pytest.approx(
        tuple(other.bse), rel=0.05
    )
    assert regression.correlation == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert regression.slope_t_statistic == pytest.approx(
        regression.slope / regression.slope_standard_error
    )


def test_errors_are_those_of_the_sandwich_written_out() -> None:
    rng = np.random.default_rng(4)
    x, y = dependent(rng, 300, 0.5), dependent(rng, 300, 0.5)
    regression = fit_hac_regression(x, y)
    assert regression
    design = np.column_stack((np.ones(300), x))
    inverse = np.linalg.inv(design.T @ design / 300)
    residual = y - design @ np.array([regression.intercept, regression.slope])
    influence = np.array(
        [inverse @ row * error for row, error in zip(design, residual, strict=True)]
    )
    for column, error in enumerate(
        (regression.intercept_standard_error, regression.slope_standard_error)
    ):
        assert error == pytest.approx(np.sqrt(long_run_variance(influence[:, column]) / 300))


def test_dependence_widens_the_error() -> None:
    rng = np.random.default_rng(5)
    x, noise = rng.normal(size=3000), dependent(rng, 3000, 0.7)
    regression = fit_hac_regression(x, noise)
    assert regression
    assert regression.intercept_standard_error
    # The long-run deviation of an AR(1) is 1 / (1 - rho) of its shocks'.
    assert regression.intercept_standard_error == pytest.approx(1 / 0.3 / np.sqrt(3000), rel=0.2)


def test_a_perfect_line_has_no_error_and_a_flat_one_no_correlation() -> None:
    x = np.arange(40.0)
    exact, flat = fit_hac_regression(x, 2 * x), fit_hac_regression(x, np.zeros(40))
    assert exact
    assert flat
    assert (exact.slope, exact.slope_standard_error, exact.slope_t_statistic) == (
        pytest.approx(2),
        None,
        None,
    )
    assert (flat.slope, flat.intercept_t_statistic, flat.correlation) == (0.0, None, None)


def test_no_regression_without_rows_or_with_constant_x() -> None:
    assert fit_hac_regression(np.arange(29.0), np.arange(29.0)) is None
    assert fit_hac_regression(np.ones(40), np.arange(40.0)) is None

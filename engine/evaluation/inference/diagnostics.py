"""Unit-root test (ADF) and residual autocorrelation tests (Ljung-Box, Breusch-Godfrey).

MacKinnon's p-values are those of statsmodels. Three functions are the engine's own:

- Ljung-Box, a line of arithmetic for which statsmodels imports for longer than a run evaluates;
- ADF, as statsmodels fits one regression a lag (25 to 40 times slower at 2,500 to 10,000 rows) and
  gives figures for series that their own past explains exactly, such as a straight line;
- Breusch-Godfrey, as that of statsmodels assumes residuals of least squares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

_ZERO_RESIDUAL_TOLERANCE = 1e-10
"""Residuals below this fraction of what the regression explains are rounding errors."""


def augmented_dickey_fuller(
    values: Vector, autolag: Literal["bic", "aic"] = "bic"
) -> HypothesisTestResult:
    """Tests H0: the series has a unit root, as prices have; small p-values favour stationarity.

    The t statistic of b in diff(x)_t = a + b x_(t-1) + sum_(i=1..p) c_i diff(x)_(t-i) + e_t. p
    minimises the criterion among 0 .. 12 (n / 100)^(1/4) lags (Schwert 1989), all on the same
    rows; the regression is then fitted on all rows that p lags leave.

    Args:
        values: Shape (n,); no NaN.
        autolag: Information criterion, Bayes' or Akaike's.

    Returns:
        statistic, p_value (MacKinnon's approximation), lags p, observations n - 1 - p. None for a
        constant series, one too short for the lags, one that its own past explains exactly (as a
        straight line), or one with collinear lags (as a single step).

    Source: Said & Dickey (1984), Biometrika 71; p-values MacKinnon (1994), J. of Business &
    Economic Statistics 12, with the tables of MacKinnon (2010), Queen's University, WP 1227.
    """
    from statsmodels.tsa.adfvalues import mackinnonp

    bars = len(values)
    max_lags = min(int(np.ceil(12 * (bars / 100) ** 0.25)), bars // 2 - 2)
    if max_lags < 0 or np.ptp(values) == 0:
        return HypothesisTestResult()
    # Level and scale do not change the statistic, but they do affect rounding.
    scaled = (values - values.mean()) / np.ptp(values)
    triangle = _qr_triangle(scaled, max_lags, level_last=False)
    if triangle is None:
        return HypothesisTestResult()
    # The last column squared and summed below row k is the RSS on the first k columns.
    squares = np.cumsum(triangle[::-1, -1] ** 2)[::-1][2:]
    rows, columns = bars - 1 - max_lags, np.arange(2, max_lags + 3)
    penalty = np.log(rows) if autolag == "bic" else 2.0
    lags = int(np.argmin(rows * np.log(squares) + penalty * columns))
    rows = bars - 1 - lags
    last = _qr_triangle(scaled, lags, level_last=True)
    if last is None:
        return HypothesisTestResult()
    error = abs(last[-1, -1]) / np.sqrt(rows - lags - 2)
    statistic = float(last[-2, -1] * np.sign(last[-2, -2]) / error)
    return HypothesisTestResult(
        statistic, float(mackinnonp(statistic)), lags=lags, observations=rows
    )


def ljung_box(residuals: Vector, lags: int, fitted: int = 0) -> HypothesisTestResult:
    """Tests H0: the residuals have no autocorrelation up to `lags`.

    Q = n (n + 2) sum_(k=1..lags) r_k^2 / (n - k), chi-square with lags - fitted degrees. Under
    heteroscedasticity, as of daily returns, it rejects too often.

    Args:
        residuals: Shape (n,); no NaN.
        lags: Number of lags.
        fitted: Number of fitted coefficients of past values (p + q of an ARMA).

    Returns:
        None below lags + 2 residuals, without degrees of freedom, or for constant residuals.

    Source: Ljung & Box (1978), Biometrika 65.
    """
    from scipy.special import chdtrc

    count, degrees = len(residuals), lags - fitted
    if degrees < 1 or count < lags + 2 or np.ptp(residuals) == 0:
        return HypothesisTestResult()
    centred = residuals - residuals.mean()
    products = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, lags + 1)])
    correlations = products / (centred @ centred)
    statistic = float(
        count * (count + 2) * np.sum(correlations**2 / (count - np.arange(1, lags + 1)))
    )
    return HypothesisTestResult(
        statistic, float(chdtrc(degrees, statistic)), degrees, lags=lags, observations=count
    )


def breusch_godfrey(
    residuals: Vector, regressors: Matrix | None, lags: int
) -> HypothesisTestResult:
    """Tests H0: the residuals have no autocorrelation up to `lags`, given the regressors.

    LM = n (S0 - S1) / S0, chi-square with `lags` degrees. S0 is the residual sum of squares of a
    regression of the residuals on a constant and the regressors; S1 that of a regression which
    also has their last `lags` values (0 before the first). For residuals of least squares S0 is
    their own sum of squares, and LM is n R^2. The residuals of a network are not orthogonal to its
    inputs; with their own sum of squares that would count as autocorrelation. Under
    heteroscedasticity the test rejects too often.

    Args:
        residuals: Shape (n,); no NaN.
        regressors: Inputs of the forecast, shape (n, k); None for a constant only.
        lags: Number of lags.

    Returns:
        None where there are not more rows than the k + 1 + lags coefficients, or where the
        regressors explain the residuals exactly.

    Source: Breusch (1978), Australian Economic Papers 17; Godfrey (1978), Econometrica 46.
    """
    from scipy.special import chdtrc

    count = len(residuals)
    design = np.ones((count, 1))
    if regressors is not None:
        design = np.column_stack([design, regressors])
    if lags < 1 or count <= design.shape[1] + lags:
        return HypothesisTestResult()
    padded = np.concatenate([np.zeros(lags), residuals])
    past = np.column_stack([padded[lags - lag : -lag] for lag in range(1, lags + 1)])
    restricted = _residual_sum_of_squares(residuals, design)
    if restricted <= _ZERO_RESIDUAL_TOLERANCE**2 * (residuals @ residuals):
        return HypothesisTestResult()
    full = _residual_sum_of_squares(residuals, np.column_stack([design, past]))
    statistic = float(count * (restricted - full) / restricted)
    return HypothesisTestResult(
        statistic, float(chdtrc(lags, statistic)), lags, lags=lags, observations=count
    )


def _qr_triangle(values: Vector, lags: int, *, level_last: bool) -> Matrix | None:
    """R of the QR decomposition of the regressors, with the change as the last column.

    The regressors are a constant, the previous level and the `lags` previous changes; the level
    comes after the changes if `level_last`. None if they are collinear, or explain the change
    exactly.
    """
    change = np.diff(values)
    rows = len(change) - lags
    past = [change[lags - lag : len(change) - lag] for lag in range(1, lags + 1)]
    level = [values[lags:-1]]
    middle = [*past, *level] if level_last else [*level, *past]
    columns = np.column_stack([np.ones(rows), *middle, change[lags:]])
    triangle = np.asarray(np.linalg.qr(columns, mode="r"))
    if len(triangle) < columns.shape[1]:
        return None
    diagonal = np.abs(np.diagonal(triangle))
    return (
        None
        if (diagonal <= _ZERO_RESIDUAL_TOLERANCE * np.linalg.norm(columns, axis=0)).any()
        else triangle
    )


def _residual_sum_of_squares(values: Vector, regressors: Matrix) -> float:
    """Residual sum of squares of a regression; the regressors may be collinear."""
    scale = np.linalg.norm(regressors, axis=0)
    columns = regressors / np.where(scale > 0, scale, 1.0)
    residuals = values - columns @ np.linalg.lstsq(columns, values)[0]
    return float(residuals @ residuals)

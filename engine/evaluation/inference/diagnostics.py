"""Whether a series has a unit root, and whether residuals hang together over time.

Each is a regression or a sum that NumPy does in a millisecond: importing statsmodels' own, which
the tests hold them against, would take a run longer than they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

_ZERO_RESIDUAL_TOLERANCE = 1e-10
"""A regression whose residuals are below this part of what it explains has none but rounding."""

# MacKinnon's response surface of the statistic with a constant and one series: below the first
# bound the chance is 0, above the last 1; of a polynomial up to the middle one and of another
# beyond it, the normal distribution's. The 2010 figures.
_TAU_BOUNDS = (-18.83, -1.61, 2.74)
_TAU_SMALL_COEFFICIENTS = (0.038269, 1.4412, 2.1659)
_TAU_LARGE_COEFFICIENTS = (-0.010368, -0.12745, 0.93202, 1.7339)


def augmented_dickey_fuller(
    values: Vector, autolag: Literal["bic", "aic"] = "bic"
) -> HypothesisTestResult:
    """Tests H0: the series has a unit root, as prices have; a small p-value says stationary.

    The t statistic of b in diff(x)_t = a + b x_(t-1) + sum_(i=1..p) c_i diff(x)_(t-i) + e_t. p
    minimises the criterion among 0 .. 12 (n / 100)^(1/4) lags (Schwert 1989), all on the same
    rows; the regression is then done on all the rows that p leaves.

    Args:
        values: Shape (n,); no NaN.
        autolag: Bayes' or Akaike's criterion.

    Returns:
        statistic, p_value (MacKinnon's approximation), lags p, observations n - 1 - p. None for
        a series that does not vary, that is too short for the lags, that a regression on its own
        past leaves nothing of, as of a straight line, or whose lags cannot be told apart, as of a
        flag raised once.

    Source: Said & Dickey (1984), Biometrika 71; p-values MacKinnon (1994), J. of Business &
    Economic Statistics 12, with the tables of MacKinnon (2010), Queen's University, WP 1227.
    """
    bars = len(values)
    furthest = min(int(np.ceil(12 * (bars / 100) ** 0.25)), bars // 2 - 2)
    if furthest < 0 or np.ptp(values) == 0:
        return HypothesisTestResult()
    # Neither the level nor the scale matters to the statistic, but both do to rounding.
    scaled = (values - values.mean()) / np.ptp(values)
    triangle = _qr_triangle(scaled, furthest, level_last=False)
    if triangle is None:
        return HypothesisTestResult()
    # Squares of the last column below row k are the residuals' of the first k columns.
    squares = np.cumsum(triangle[::-1, -1] ** 2)[::-1][2:]
    rows, columns = bars - 1 - furthest, np.arange(2, furthest + 3)
    penalty = np.log(rows) if autolag == "bic" else 2.0
    lags = int(np.argmin(rows * np.log(squares) + penalty * columns))
    rows = bars - 1 - lags
    last = _qr_triangle(scaled, lags, level_last=True)
    if last is None:
        return HypothesisTestResult()
    error = abs(last[-1, -1]) / np.sqrt(rows - lags - 2)
    statistic = float(last[-2, -1] * np.sign(last[-2, -2]) / error)
    return HypothesisTestResult(
        statistic, mackinnon_p_value(statistic), lags=lags, observations=rows
    )


def ljung_box(residuals: Vector, lags: int, fitted: int = 0) -> HypothesisTestResult:
    """Tests H0: the residuals have no autocorrelation up to `lags`.

    Q = n (n + 2) sum_(k=1..lags) r_k^2 / (n - k), chi-square with lags - fitted degrees. Changing
    volatility, as of daily returns, makes it reject too often.

    Args:
        residuals: Shape (n,); no NaN.
        lags: How many.
        fitted: Coefficients of past values (p + q of an ARMA) that the residuals come from.

    Returns:
        None below lags + 2 residuals, without a degree left or where they do not vary.

    Source: Ljung & Box (1978), Biometrika 65.
    """
    from scipy.special import chdtrc

    count, degrees = len(residuals), lags - fitted
    if degrees < 1 or count < lags + 2 or np.ptp(residuals) == 0:
        return HypothesisTestResult()
    centred = residuals - residuals.mean()
    steps = np.arange(1, lags + 1)
    products = np.array([centred[step:] @ centred[:-step] for step in steps])
    correlations = products / (centred @ centred)
    statistic = float(count * (count + 2) * np.sum(correlations**2 / (count - steps)))
    return HypothesisTestResult(
        statistic, float(chdtrc(degrees, statistic)), degrees, lags=lags, observations=count
    )


def breusch_godfrey(
    residuals: Vector, regressors: Matrix | None, lags: int
) -> HypothesisTestResult:
    """Tests H0: the residuals' own past explains nothing of them that the regressors do not.

    LM = n (S0 - S1) / S0, chi-square with `lags` degrees: S0 is the residuals' sum of squares
    after a regression on a constant and the regressors, S1 after one on their first `lags` past
    values too, 0 before the first. Least squares' own residuals need no S0, which is their sum of
    squares: n R^2 then. A network's are not orthogonal to what it was given, and without S0 that
    would pass for autocorrelation. Changing volatility makes it reject too often.

    Args:
        residuals: Shape (n,); no NaN.
        regressors: What the forecast was made from, shape (n, k); None for a constant alone.
        lags: How many.

    Returns:
        None where rows do not outnumber the k + 1 + lags coefficients, or nothing is left to
        explain.

    Source: Breusch (1978), Australian Economic Papers 17; Godfrey (1978), Econometrica 46.
    """
    from scipy.special import chdtrc

    count = len(residuals)
    given = np.ones((count, 1))
    if regressors is not None:
        given = np.column_stack([given, regressors])
    if lags < 1 or count <= given.shape[1] + lags:
        return HypothesisTestResult()
    padded = np.concatenate([np.zeros(lags), residuals])
    past = np.column_stack([padded[lags - lag : -lag] for lag in range(1, lags + 1)])
    before = _residual_sum_of_squares(residuals, given)
    if before <= _ZERO_RESIDUAL_TOLERANCE**2 * (residuals @ residuals):
        return HypothesisTestResult()
    after = _residual_sum_of_squares(residuals, np.column_stack([given, past]))
    statistic = float(count * (before - after) / before)
    return HypothesisTestResult(
        statistic, float(chdtrc(lags, statistic)), lags, lags=lags, observations=count
    )


def _qr_triangle(values: Vector, lags: int, *, level_last: bool) -> Matrix | None:
    """R of the QR decomposition of the regressors, the change beside them as the last column.

    The regressors are a constant, the level before and `lags` changes before, the level after
    those if `level_last`. None if they hang together, or leave nothing of the change.
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
    own = np.abs(np.diagonal(triangle))
    return (
        None
        if (own <= _ZERO_RESIDUAL_TOLERANCE * np.linalg.norm(columns, axis=0)).any()
        else triangle
    )


def mackinnon_p_value(statistic: float) -> float:
    """MacKinnon's approximate p-value of a Dickey-Fuller statistic, constant and one series."""
    from scipy.special import ndtr

    lowest, middle, highest = _TAU_BOUNDS
    if statistic < lowest or statistic > highest:
        return 0.0 if statistic < lowest else 1.0
    surface = _TAU_SMALL_COEFFICIENTS if statistic <= middle else _TAU_LARGE_COEFFICIENTS
    return float(ndtr(np.polyval(surface, statistic)))


def _residual_sum_of_squares(values: Vector, regressors: Matrix) -> float:
    """Sum of squares that least squares on the regressors leaves; they may hang together."""
    scale = np.linalg.norm(regressors, axis=0)
    columns = regressors / np.where(scale > 0, scale, 1.0)
    left = values - columns @ np.linalg.lstsq(columns, values)[0]
    return float(left @ left)

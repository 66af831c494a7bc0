"""Expected returns from forecasts, shrunk by how uncertain they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from engine.core.blas_threads import one_blas_thread

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

CovarianceKind: TypeAlias = Literal["ledoit_wolf", "sample"]


def estimate_covariance(returns: Matrix, kind: CovarianceKind) -> Matrix:
    """The covariance of returns.

    `ledoit_wolf` is (1 - d) S + d v I: S is the sample covariance, v its mean variance, and d is
    chosen to have the smallest expected squared error; it is regular even where two symbols have
    the same bars.

    Args:
        returns: (n, k) without NaN.
        kind: The estimator.

    Source: Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance
    matrices, Journal of Multivariate Analysis 88.
    """
    if kind == "sample":
        return np.atleast_2d(np.cov(returns, rowvar=False))
    from sklearn.covariance import ledoit_wolf

    covariance: Matrix = np.atleast_2d(ledoit_wolf(returns)[0])
    return covariance


def shrink_forecasts(
    expected: Vector, returns: Matrix, shrinkage: float | None, kind: CovarianceKind
) -> Vector:
    """Forecasts moved towards their mean over the symbols: (1 - s) m + s mean(m).

    Without a given s it is that of the Bayes-Stein estimator, with the mean over the symbols as
    the target: s = (k + 2) / (k + 2 + n d' C^-1 d), where d = m - mean(m) and C is the covariance
    of n returns. Forecasts that differ by no more than n returns could tell apart are moved
    together.

    Args:
        expected: (k,) expected returns of a bar.
        returns: (n, k) past returns of the symbols.
        shrinkage: s; None for that of Bayes and Stein.
        kind: Covariance of the returns.

    Source: Jorion (1986), Bayes-Stein estimation for portfolio analysis, JFQA 21, eq. 17.
    """
    deviation = expected - expected.mean()
    if shrinkage is None:
        # Several threads would add up in another order each time.
        with one_blas_thread():
            # The pseudo-inverse is the inverse where there is one.
            inverse = np.linalg.pinv(estimate_covariance(returns, kind), hermitian=True)
            distance = float(deviation @ inverse @ deviation)
        count = len(expected) + 2
        shrinkage = count / (count + len(returns) * distance)
    shrunk: Vector = expected.mean() + (1.0 - shrinkage) * deviation
    return shrunk

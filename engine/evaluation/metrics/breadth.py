"""Breadth: how many independent bets a set of correlated returns amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Matrix


MIN_BARS_IN_COMMON = 30
"""Below it two returns have no correlation to speak of."""


def effective_bets(returns: Matrix, *, standardised: bool) -> float | None:
    """Effective number of independent bets, (sum of eigenvalues)^2 / sum of squared eigenvalues.

    The eigenvalues l_k are those of the covariance matrix C, so that the number is

        (sum_k l_k)^2 / sum_k l_k^2 = (sum_i v_i)^2 / sum_ij v_i v_j rho_ij^2

    with variances v and correlations rho. m uncorrelated returns of the same variance are m bets,
    m equal ones are 1. The squared sample correlation of independent returns is 1 / (n - 1) on
    average and not 0: rho_ij^2 is estimated by r^2 - (1 - r^2) / (n - 2), the adjusted R^2 of a
    regression of one on the other, without which 500 independent symbols over 2,500 bars would
    be 417 bets.

    Args:
        returns: (n, m), a column a bet; NaN where it has none, as before a listing. A pair is
            compared on the bars at which both are known.
        standardised: Whether all have the same variance: the breadth of the universe. Otherwise
            each has its own: that of a book, whose columns are contributions to its return.

    Returns:
        Between 1 and m; None below 30 bars, and where no column varies.

    Source: Bretherton et al. (1999), The Effective Number of Spatial Degrees of Freedom of a
    Time-Varying Field, J. of Climate 12, equation 5. Breadth as in Grinold & Kahn (2000), Active
    Portfolio Management.
    """
    if len(returns) < MIN_BARS_IN_COMMON:
        return None
    known = np.isfinite(returns)
    bars = known.sum(axis=0)
    means = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(bars, 1)
    centred = np.where(known, returns - means, 0.0)
    variance = (centred**2).sum(axis=0) / np.maximum(bars, 1)
    scale = np.abs(np.where(known, returns, 0.0)).max(axis=0, initial=0.0)
    kept = (bars >= MIN_BARS_IN_COMMON) & (variance > (1e-12 * scale) ** 2)
    if not kept.any():
        return None
    centred, known, variance = centred[:, kept], known[:, kept], variance[kept]
    weight = np.ones_like(variance) if standardised else variance / variance.sum()
    squared = _squared_correlations(centred, known.astype(np.float64))
    number = weight.sum() ** 2 / float(weight @ squared @ weight)
    return float(np.clip(number, 1.0, len(weight)))


def _squared_correlations(centred: Matrix, known: Matrix) -> Matrix:
    """(m, m) adjusted squared correlations; 0 for a pair with fewer than 30 bars in common."""
    common = known.T @ known
    product = centred.T @ centred
    squares = (centred**2).T @ known
    raw = np.zeros_like(product)
    np.divide(product**2, squares * squares.T, out=raw, where=squares * squares.T > 0)
    raw = np.clip(raw, 0.0, 1.0)
    adjusted: Matrix = raw - (1.0 - raw) / np.maximum(common - 2.0, 1.0)
    adjusted[common < MIN_BARS_IN_COMMON] = 0.0
    np.fill_diagonal(adjusted, 1.0)
    return adjusted

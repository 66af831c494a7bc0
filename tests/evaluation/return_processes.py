"""Return processes with a known law, a year of which can be simulated as often as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Matrix


def independent(rng: np.random.Generator, paths: int, bars: int) -> Matrix:
    """Normal returns, a Sharpe ratio of 0.6 a year of 252 bars."""
    return 0.0004 + 0.0105 * rng.standard_normal((paths, bars))


def garch(rng: np.random.Generator, paths: int, bars: int) -> Matrix:
    """GARCH(1,1) with a persistence of 0.95 and the same mean and variance."""
    alpha, beta, settle = 0.10, 0.85, 200
    shocks = rng.standard_normal((paths, bars + settle))
    variance, returns = np.ones(paths), np.empty((paths, bars + settle))
    for bar in range(bars + settle):
        returns[:, bar] = np.sqrt(variance) * shocks[:, bar]
        variance = (1 - alpha - beta) + alpha * returns[:, bar] ** 2 + beta * variance
    return 0.0004 + 0.0105 * returns[:, settle:]


def autocorrelated(rng: np.random.Generator, paths: int, bars: int) -> Matrix:
    """AR(1) with a coefficient of 0.2, which deepens drawdowns."""
    settle = 50
    shocks = rng.standard_normal((paths, bars + settle)) * np.sqrt(1 - 0.2**2)
    returns, last = np.empty((paths, bars + settle)), np.zeros(paths)
    for bar in range(bars + settle):
        last = 0.2 * last + shocks[:, bar]
        returns[:, bar] = last
    return 0.0004 + 0.0105 * returns[:, settle:]

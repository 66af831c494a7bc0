"""Random return series with a known distribution.

All have mean 0 and the given standard deviation, and start in their stationary distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector


def iid_normal(rng: np.random.Generator, bars: int, volatility: float) -> Vector:
    """Independent normal returns, shape (bars,)."""
    return volatility * rng.standard_normal(bars)


def student_t(
    rng: np.random.Generator, bars: int, volatility: float, degrees_of_freedom: float = 4.0
) -> Vector:
    """Student's t returns, scaled to the given standard deviation, shape (bars,).

    With 4 degrees of freedom the kurtosis is infinite.
    """
    draws = rng.standard_t(degrees_of_freedom, bars)
    return np.asarray(volatility * ((degrees_of_freedom - 2) / degrees_of_freedom) ** 0.5 * draws)


def ar1(rng: np.random.Generator, bars: int, volatility: float, coefficient: float) -> Vector:
    """AR(1): r_t = coefficient x r_{t-1} + e_t with normal e, shape (bars,)."""
    shocks = iid_normal(rng, bars, volatility)
    shocks[1:] *= np.sqrt(1 - coefficient**2)
    returns = shocks.tolist()
    for row in range(1, bars):
        returns[row] += coefficient * returns[row - 1]
    return np.array(returns)


def garch11(
    rng: np.random.Generator,
    bars: int,
    volatility: float,
    alpha: float = 0.1,
    beta: float = 0.88,
) -> Vector:
    """GARCH(1,1): r_t = s_t z_t, s^2_t = w + alpha x r^2_{t-1} + beta x s^2_{t-1}.

    Volatility clustering as on real markets: r is unpredictable, r^2 is predictable. With the
    defaults the kurtosis is 6.1. The first 200 bars are discarded (burn-in).

    Source: Bollerslev (1986), J. of Econometrics 31.
    """
    burn = 200
    normal = rng.standard_normal(burn + bars).tolist()
    base = volatility**2 * (1 - alpha - beta)
    variance, returns = volatility**2, []
    for draw in normal:
        returns.append(variance**0.5 * draw)
        variance = base + alpha * returns[-1] ** 2 + beta * variance
    return np.array(returns[burn:])


def jump_diffusion(
    rng: np.random.Generator,
    bars: int,
    volatility: float,
    jump_probability: float = 0.01,
    jump_mean: float = -3.0,
    jump_deviation: float = 3.0,
) -> Vector:
    """Normal returns with rare jumps, r_t = s (z_t + b_t j_t - p m), shape (bars,).

    b_t is 1 with probability p and j_t normal with mean m and the given deviation, both in units
    of the normal part z_t; s gives the whole the standard deviation `volatility`. With the
    defaults one bar in a hundred falls by three normal deviations on average: skewness -0.9,
    kurtosis 10.

    Source: Merton (1976), Option Pricing When Underlying Stock Returns Are Discontinuous, J. of
    Financial Economics 3.
    """
    normal = rng.standard_normal(bars)
    hit = rng.random(bars) < jump_probability
    jumps = hit * (jump_mean + jump_deviation * rng.standard_normal(bars))
    second_moment = jump_probability * (jump_mean**2 + jump_deviation**2)
    variance = 1 + second_moment - (jump_probability * jump_mean) ** 2
    return np.asarray(volatility * (normal + jumps - jump_probability * jump_mean) / variance**0.5)

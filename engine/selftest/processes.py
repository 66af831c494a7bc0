"""Returns whose truth is known, because they were drawn from it.

All have mean 0 and the standard deviation asked for, each from its stationary distribution on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.types import Vector


def independent(rng: np.random.Generator, bars: int, deviation: float) -> Vector:
    """Normal draws that know nothing of each other, shape (bars,)."""
    return deviation * rng.standard_normal(bars)


def heavy_tailed(
    rng: np.random.Generator, bars: int, deviation: float, degrees: float = 4.0
) -> Vector:
    """Student's t of so many degrees of freedom, scaled to the deviation, shape (bars,).

    With 4 degrees the kurtosis is infinite: one bar can outweigh a year.
    """
    drawn = rng.standard_t(degrees, bars)
    return np.asarray(deviation * ((degrees - 2) / degrees) ** 0.5 * drawn)


def autoregressive(
    rng: np.random.Generator, bars: int, deviation: float, coefficient: float
) -> Vector:
    """AR(1): r_t = coefficient x r_{t-1} + e_t with normal e, shape (bars,)."""
    shocks = independent(rng, bars, deviation)
    shocks[1:] *= np.sqrt(1 - coefficient**2)
    returns = shocks.tolist()
    for row in range(1, bars):
        returns[row] += coefficient * returns[row - 1]
    return np.array(returns)


def garch(
    rng: np.random.Generator,
    bars: int,
    deviation: float,
    reaction: float = 0.1,
    persistence: float = 0.88,
) -> Vector:
    """GARCH(1,1): r_t = s_t z_t, s^2_t = w + reaction x r^2_{t-1} + persistence x s^2_{t-1}.

    Calm and wild spells as on real markets: r is unpredictable, r^2 is not. With the defaults the
    kurtosis is 6.1. 200 bars are drawn and thrown away first, so that none begins on a calm day.

    Source: Bollerslev (1986), J. of Econometrics 31.
    """
    burn = 200
    normal = rng.standard_normal(burn + bars).tolist()
    base = deviation**2 * (1 - reaction - persistence)
    variance, returns = deviation**2, []
    for draw in normal:
        returns.append(variance**0.5 * draw)
        variance = base + reaction * returns[-1] ** 2 + persistence * variance
    return np.array(returns[burn:])

"""Sums of products of a series with itself some bars earlier, by Fourier transforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector

MANY_BARS = 32_768
"""Above this many bars sums over lags are taken by transforms of a padded length. Those of shorter
series, which are as fast bar by bar, keep the order of their sums and so their last digits."""

_PRIMES = (2, 3, 5)


def lagged_products(values: Vector, max_lag: int) -> Vector:
    """Sums of values[t] x values[t - lag] over the bars, for lags 0 to `max_lag`.

    The squared transform of the series, padded with zeros, is the transform of all of them: it
    takes n log n operations instead of n for each lag. Equal to the sums bar by bar within
    rounding.

    Args:
        values: Shape (n,); no NaN.
        max_lag: Below n.

    Returns:
        Shape (max_lag + 1,).
    """
    length = _fast_length(len(values) + max_lag)
    power = np.abs(np.fft.rfft(values, length)) ** 2
    products: Vector = np.fft.irfft(power, length)[: max_lag + 1]
    return products


def _fast_length(least: int) -> int:
    """The smallest length with no prime factor above 5, whose transform is fast; at least so long.

    A length with a large prime factor takes ten times as long.
    """
    lengths = [1]
    for prime in _PRIMES:
        lengths = [
            length * prime**power
            for length in lengths
            for power in range((2 * least // length).bit_length())
        ]
    return min(length for length in lengths if length >= least)

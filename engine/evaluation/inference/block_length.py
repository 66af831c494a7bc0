"""How long the blocks of a bootstrap must be to keep a series' dependence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector


def optimal_block_length(values: Vector) -> float:
    """Mean block length of the stationary bootstrap that is optimal for the mean, at least 1 bar.

    b = (2 G^2 / D)^(1/3) n^(1/3) with D = 2 (sum of w R)^2 and G = sum of w |k| R, over the
    autocovariances R(k), the flat-top weights w = 1 up to |k| = M / 2 and falling to 0 at M.

    To the last digit what `arch.bootstrap.optimal_block_length` finds, whose import would take
    longer than the whole of the data stage.

    Args:
        values: Shape (n,), n >= 30; no NaN.

    Source: Politis & White (2004), Automatic Block-Length Selection for the Dependent Bootstrap,
    Econometric Reviews 23; corrected by Patton, Politis & White (2009), Econometric Reviews 28.
    """
    bars = len(values)
    centred = values - values.mean()
    insignificant = max(5, int(np.log10(bars)))
    furthest = int(np.ceil(np.sqrt(bars))) + insignificant
    products = np.array([centred[lag:] @ centred[: bars - lag] for lag in range(furthest + 1)])
    # 1. M is twice the last lag before the first run of insignificant autocorrelations.
    norms = [
        (centred[lag + 1 :] @ centred[lag + 1 :]) * (centred[: -lag - 1] @ centred[: -lag - 1])
        for lag in range(furthest + 1)
    ]
    small = np.abs(products) / np.sqrt(norms) < 2 * np.sqrt(np.log10(bars) / bars)
    runs = np.lib.stride_tricks.sliding_window_view(small[:-1], insignificant).all(axis=1)
    bandwidth = min(2 * max(int(runs.argmax()), 1), furthest) if runs.any() else furthest
    # 2. G and the long-run variance, with the flat-top window; summed lag by lag.
    lags = np.arange(1, bandwidth + 1)
    weights = np.where(lags / bandwidth <= 0.5, 1.0, 2 * (1 - lags / bandwidth))
    covariances = products[: bandwidth + 1] / bars
    slope = np.cumsum(2 * weights * lags * covariances[1:])[-1]
    variance = np.cumsum(np.append(covariances[0], 2 * weights * covariances[1:]))[-1]
    # 3. The length, kept well below the length of the series.
    length = (2 * slope**2 / (2 * variance**2)) ** (1 / 3) * bars ** (1 / 3)
    longest = np.ceil(min(3 * np.sqrt(bars), bars / 3))
    return float(max(1.0, min(length, longest)))

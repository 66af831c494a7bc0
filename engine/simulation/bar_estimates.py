"""Spread, volatility and volume before a bar, estimated from the bars before it alone.

Row t of every result is of the bars up to t - 1, whatever bar t and those after it are. Each is
the mean of at most `window` values, added in the order of time, so that a row does not depend on
where the history begins further back than its window. A row before the first value is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Matrix

_THREE_MINUS_TWO_ROOTS = 3.0 - 2.0 * np.sqrt(2.0)


def estimate_corwin_schultz_spread(
    high: Matrix, low: Matrix, close: Matrix, window: int
) -> Matrix:
    """The relative bid-ask spread before each bar, of highs and lows.

    With the ranges of two bars in a row, j = 0 and 1,

        beta = sum_j ln(H_j / L_j)^2,  gamma = ln(max H / min L)^2,
        alpha = (sqrt(2 beta) - sqrt(beta)) / (3 - 2 sqrt 2) - sqrt(gamma / (3 - 2 sqrt 2)),
        S = 2 (e^alpha - 1) / (1 + e^alpha)

    Where the second bar lies above or below the close before it as a whole, its high and low are
    moved by the gap, which is no spread. A negative S is 0, as in the paper; the mean of `window`
    pairs is taken.

    Args:
        high: Shape (n, k).
        low: Shape (n, k).
        close: Shape (n, k).
        window: Pairs of bars.

    Returns:
        Fractions of the price, shape (n, k); NaN in the first two rows.

    Source: Corwin & Schultz (2012), A simple way to estimate bid-ask spreads from daily high and
        low prices, Journal of Finance 67, eq. 14 and 18, section III.
    """
    before, highs, lows = close[:-1], high[1:], low[1:]
    gap = np.maximum(lows - before, 0.0) + np.minimum(highs - before, 0.0)
    highs, lows = highs - gap, lows - gap
    beta = np.log(high[:-1] / low[:-1]) ** 2 + np.log(highs / lows) ** 2
    gamma = np.log(np.maximum(high[:-1], highs) / np.minimum(low[:-1], lows)) ** 2
    alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / _THREE_MINUS_TWO_ROOTS - np.sqrt(
        gamma / _THREE_MINUS_TWO_ROOTS
    )
    spread = 2.0 * np.expm1(alpha) / (1.0 + np.exp(alpha))
    return _mean_before(_after_rows(np.maximum(spread, 0.0), 1), window)


def estimate_abdi_ranaldo_spread(high: Matrix, low: Matrix, close: Matrix, window: int) -> Matrix:
    """The relative bid-ask spread before each bar, of closes and mid-ranges.

    With the log close c_t and the mid-range m_t = (ln H_t + ln L_t) / 2, of two bars in a row

        S^2 = 4 (c_t - m_t) (c_t - m_{t+1})

    A negative S^2 is 0, and the mean of S over `window` pairs is taken: the two-day corrected
    version, which the paper recommends.

    Args:
        high: Shape (n, k).
        low: Shape (n, k).
        close: Shape (n, k).
        window: Pairs of bars.

    Returns:
        Fractions of the price, shape (n, k); NaN in the first two rows.

    Source: Abdi & Ranaldo (2017), A simple estimation of bid-ask spreads from daily close, high,
        and low prices, Review of Financial Studies 30, eq. 11 and 13.
    """
    middle, last = (np.log(high) + np.log(low)) / 2.0, np.log(close)
    squared = 4.0 * (last[:-1] - middle[:-1]) * (last[:-1] - middle[1:])
    return _mean_before(_after_rows(np.sqrt(np.maximum(squared, 0.0)), 1), window)


def estimate_volatility(close: Matrix, window: int) -> Matrix:
    """The volatility of a bar before each, the root of the mean squared log return.

    Args:
        close: Shape (n, k).
        window: Returns.

    Returns:
        Of log returns, shape (n, k); NaN in the first two rows.
    """
    squared = np.diff(np.log(close), axis=0) ** 2
    return np.sqrt(_mean_before(_after_rows(squared, 1), window))


def estimate_volume(volume: Matrix, window: int) -> Matrix:
    """The mean volume of a bar before each.

    Args:
        volume: Units, shape (n, k).
        window: Bars.

    Returns:
        Units, shape (n, k); NaN in the first row.
    """
    return _mean_before(volume, window)


def _after_rows(values: Matrix, rows: int) -> Matrix:
    """With so many rows of NaN in front."""
    return np.vstack([np.full((rows, values.shape[1]), np.nan), values])


def _mean_before(values: Matrix, window: int) -> Matrix:
    """The mean of the last `window` values before each row, of those that there are."""
    total, count = np.zeros(values.shape), np.zeros(values.shape)
    for lag in range(min(window, len(values) - 1), 0, -1):
        known = np.isfinite(values[:-lag])
        total[lag:] += np.where(known, values[:-lag], 0.0)
        count[lag:] += known
    mean = np.full(values.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean

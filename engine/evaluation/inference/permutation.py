"""Whether a book's positions met the market's returns better than by chance.

A position filled at bar t's price is held until the next bar's fill, so it earns the return from
price t to price t + 1, "fill to fill": from open to open where orders are filled at the open. The
close of t to the close of t + 1 would be wrong there: the fill comes before that close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector, WideFrame

_REBALANCE_TOLERANCE = 1e-6
"""A weight that is further than this from where the market carried it was traded."""

_MIN_SHIFT_DIVISOR = 20
"""Shifts by less than a twentieth of the bars are left out."""

_TIE_TOLERANCE = 1e-9
"""Sharpe ratios this near to each other are equal; transforms are not exact."""


@dataclass(frozen=True)
class TimingTest:
    """What a timing test found.

    Attributes:
        sharpe: Sharpe ratio of a bar of the positions as they were, before costs.
        p_value: Of H0, the positions have nothing to do with the returns they met; one-sided.
        shifts: How many shifts of the positions it was compared with.
        nearest_bars: The smallest of them.
    """

    sharpe: float
    p_value: float
    shifts: int
    nearest_bars: int


def fill_to_fill_returns(
    held_weights: WideFrame,
    opens: WideFrame,
    closes: WideFrame,
    fill_price: Literal["open", "close"],
) -> tuple[Matrix, Matrix]:
    """The weights just after each bar's fill, and the returns that they met until the next one.

    `held_weights` is marked at the close. With fills at the open it has the bar's own move in it:
    a half invested book has more of what rose, as if it had known. That is undone: the fraction
    just after the fill is h o/c over 1 - sum h + sum h o/c.

    Args:
        held_weights: Wide, fraction of the equity in each symbol at the bar's close, signed; as a
            Result has it.
        opens: Wide, the rows of `held_weights` and at least its symbols; positive.
        closes: Likewise.
        fill_price: Which of them orders are filled at.

    Returns:
        Weights and returns, shape (n - 1, k) each; the last bar has no next fill.
    """
    weights = held_weights.to_numpy(dtype=np.float64)
    bars = (
        frame.reindex(index=held_weights.index, columns=held_weights.columns)
        for frame in (opens, closes)
    )
    at_open, at_close = (frame.to_numpy(dtype=np.float64) for frame in bars)
    if fill_price == "open":
        value = weights * at_open / at_close
        equity = 1.0 + (value - weights).sum(axis=1, keepdims=True)
        weights = np.divide(value, equity, out=np.zeros_like(value), where=equity > 0)
    fills = at_open if fill_price == "open" else at_close
    return weights[:-1], fills[1:] / fills[:-1] - 1.0


def timing_permutation_test(weights: Matrix, returns: Matrix) -> TimingTest | None:
    """Timing permutation test: the positions against themselves at all other times.

    The positions are moved by s bars against the returns, those pushed over the end coming back
    at the start, so that their number, length and size stay what they were and only their timing
    is lost: S(s) is the Sharpe ratio of sum_j w_j(t) r_j(t + s), before costs, and

        p = (1 + number of S(s) >= S(0)) / (1 + number of s).

    Left out are shifts by less than a twentieth of the bars, either way: by a few bars, slow
    positions are still nearly where they were, and positions that follow from past returns meet
    the very returns that they followed from. Every other shift is taken, through the Fourier
    transforms of w, r and their products, O(k^2 n log n) in all. Exact where the positions do not
    depend on the returns and either comes from a stationary process; a regime in both (a rising
    half, held all along) is taken for timing, and less in wild times is timing too: of volatility.

    Measured at a nominal 5 %, over markets without memory: 5 % for positions that do not depend on
    the returns, 4 to 7 % for those that follow or oppose the last 20 bars; up to 10 % over 300
    bars where they oppose the last 60, a fifth of all there are.

    Args:
        weights: Held from the fill of bar t to the next, shape (n, k); `fill_to_fill_returns`.
        returns: Of the symbols over the same time, shape (n, k); no NaN.

    Returns:
        None for fewer than 30 bars, and where fewer than two bars' weights are not what the market
        made of the weights before: always in, or never, is no timing.

    Source: Aronson (2006), Evidence-Based Technical Analysis, chapter 5 (positions paired anew
    with the market's returns), with shifts for shuffles, which would tear a position's bars apart;
    Harris (2020), A Shift Test for Independence in Generic Time Series, on what shifts assume.
    """
    bars = len(weights)
    if bars < MIN_BARS or _count_rebalances(weights, returns) < 2:
        return None
    ratios = _shifted_sharpes(weights, returns)
    nearest = max(1, bars // _MIN_SHIFT_DIVISOR)
    others = ratios[nearest : bars - nearest + 1]
    as_good = int(np.count_nonzero(others >= ratios[0] - _TIE_TOLERANCE))
    return TimingTest(
        sharpe=float(ratios[0]),
        p_value=(1 + as_good) / (1 + len(others)),
        shifts=len(others),
        nearest_bars=nearest,
    )


def _count_rebalances(weights: Matrix, returns: Matrix) -> int:
    """Bars whose weights are not what the market made of those of the bar before."""
    grown = weights * (1.0 + returns)
    equity = 1.0 + (weights * returns).sum(axis=1, keepdims=True)
    drifted = np.divide(grown, equity, out=np.zeros_like(grown), where=equity > 0)
    return int(
        np.count_nonzero((np.abs(weights[1:] - drifted[:-1]) > _REBALANCE_TOLERANCE).any(axis=1))
    )


def _shifted_sharpes(weights: Matrix, returns: Matrix) -> Vector:
    """Sharpe ratio of a bar at each shift of the weights, shape (n,); 0 where nothing varies."""
    bars, symbols = weights.shape
    one, other = np.triu_indices(symbols)
    twice = np.where(one == other, 1.0, 2.0)
    mean = _circular_cross_products(weights, returns) / bars
    products = returns[:, one] * returns[:, other] * twice
    square = _circular_cross_products(weights[:, one] * weights[:, other], products) / bars
    variance = square - mean**2
    varies = variance > _TIE_TOLERANCE * square.max()
    return np.where(varies, mean, 0.0) / np.sqrt(np.where(varies, variance, 1.0))


def _circular_cross_products(weights: Matrix, values: Matrix) -> Vector:
    """Sum over t and the columns of weights(t) values(t + s), s = 0 .. n - 1, shape (n,)."""
    spectrum = np.conj(np.fft.rfft(weights, axis=0)) * np.fft.rfft(values, axis=0)
    return np.asarray(np.fft.irfft(spectrum.sum(axis=1), len(weights)))

"""Permutation test of market timing: positions against circular shifts of themselves.

A position filled at the price of bar t is held until the fill of the next bar. It earns the return
from price t to price t + 1, "fill to fill": open to open where orders are filled at the open. The
return from close to close would be wrong there, as the fill comes before that close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector, WideFrame

_REBALANCE_TOLERANCE = 1e-6
"""A weight that differs by more than this from its drifted value was traded."""

_MIN_SHIFT_DIVISOR = 20
"""Shifts by less than one twentieth of the bars are left out."""

_MANY_SYMBOLS = 32
"""Symbols from which on products of bars may be faster than transforms of pairs of symbols."""

_BLOCK_ROWS = 256
"""Bars whose products with all others are held at once."""

_BLOCK_CELLS = 2**24
"""Bars x pairs of symbols that are transformed at once: 128 MB for each array of them."""

_TIE_TOLERANCE = 1e-9
"""Sharpe ratios this close are equal; Fourier transforms round."""


@dataclass(frozen=True, eq=False)
class FinancingRates:
    """What cash and the risk-free rate earn from fill to fill, shape (n,) each; no NaN.

    Attributes:
        cash: Simple return of cash.
        risk_free: Simple return of the risk-free rate.
    """

    cash: Vector
    risk_free: Vector


@dataclass(frozen=True)
class TimingTest:
    """Result of the timing permutation test.

    Attributes:
        sharpe: Sharpe ratio per bar of the actual positions, before costs.
        p_value: One-sided p-value of H0: positions and returns are independent.
        shifts: Number of shifts compared with.
        nearest_bars: The smallest shift.
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
    """The weights just after the fill of each bar, and the returns until the next fill.

    `held_weights` is measured at the close. With fills at the open it contains the move of the bar
    itself: a partly invested book holds more of a symbol that rose, which would be look-ahead.
    This is undone: the fraction just after the fill is h o/c over 1 - sum h + sum h o/c.

    Args:
        held_weights: Wide, fraction of the equity in each symbol at the bar's close, signed; as in
            a `SimulationResult`.
        opens: Wide, the rows of `held_weights` and at least its symbols; positive.
        closes: Likewise.
        fill_price: Price at which orders are filled.

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


def timing_permutation_test(
    weights: Matrix, returns: Matrix, rates: FinancingRates | None = None
) -> TimingTest | None:
    """Timing permutation test: the positions against all circular shifts of themselves.

    The positions are shifted circularly by s bars against the returns. This keeps their number,
    length and size and removes only their timing: S(s) is the Sharpe ratio of
    sum_j w_j(t) r_j(t + s), before costs, and

        p = (1 + number of S(s) >= S(0)) / (1 + number of s).

    Shifts by less than one twentieth of the bars, in either direction, are left out: after a shift
    by a few bars slow positions have hardly moved, and positions derived from past returns meet
    those same returns. All other shifts are used, by Fourier transforms of w, r and their products
    in O(k^2 n log n). The test is exact where positions and returns are independent and one of
    them is stationary. A regime in both (long throughout a rising half) counts as timing, and so
    does volatility timing (smaller positions in volatile periods).

    Measured size at a nominal 5 %, over markets without memory: 5 % for positions independent of
    the returns, 4 to 7 % for those that follow or oppose the last 20 bars; up to 10 % over 300
    bars where they oppose the last 60, one fifth of the bars.

    Args:
        weights: Held from the fill of bar t to the next, shape (n, k); see `fill_to_fill_returns`.
        returns: Returns of the symbols over the same time, shape (n, k); no NaN.
        rates: What cash and the risk-free rate earn over the same time; None for 0. The Sharpe
            ratios are then those of the excess returns
            sum_j w_j(t) (r_j(t + s) - c(t + s)) + c(t + s) - f(t + s).

    Returns:
        None for fewer than 30 bars, or with fewer than two rebalances: a book that is always in
        the market, or never, has no timing.

    Source: Aronson (2006), Evidence-Based Technical Analysis, chapter 5 (permutation of positions
    against returns), with shifts in place of shuffles, which would split positions; Harris (2020),
    A Shift Test for Independence in Generic Time Series, on the assumptions of shifts.
    """
    bars = len(weights)
    if bars < MIN_BARS or _count_rebalances(weights, returns) < 2:
        return None
    ratios = _shifted_sharpes(weights, returns, rates)
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
    """Number of bars whose weights differ from the drifted weights of the previous bar."""
    grown = weights * (1.0 + returns)
    equity = 1.0 + (weights * returns).sum(axis=1, keepdims=True)
    drifted = np.divide(grown, equity, out=np.zeros_like(grown), where=equity > 0)
    return int(
        np.count_nonzero((np.abs(weights[1:] - drifted[:-1]) > _REBALANCE_TOLERANCE).any(axis=1))
    )


def _shifted_sharpes(weights: Matrix, returns: Matrix, rates: FinancingRates | None) -> Vector:
    """Sharpe ratio per bar at each shift of the weights, shape (n,); 0 where constant."""
    bars, symbols = weights.shape
    addend = np.zeros(0)
    if rates is not None:
        returns, addend = returns - rates.cash[:, None], rates.cash - rates.risk_free
    # Of all bars with all, n^2 k products; by Fourier transforms, k^2 n log n.
    direct = symbols >= _MANY_SYMBOLS and bars < 2 * symbols * np.log2(bars)
    moments = _moments_by_products if direct else _moments_by_transforms
    mean, square = moments(weights, returns, addend)
    variance = square - mean**2
    varies = variance > _TIE_TOLERANCE * square.max()
    return np.where(varies, mean, 0.0) / np.sqrt(np.where(varies, variance, 1.0))


def _moments_by_transforms(
    weights: Matrix, returns: Matrix, addend: Vector
) -> tuple[Vector, Vector]:
    """Mean and mean square of the shifted books' returns at each shift, shape (n,) each.

    Args:
        weights: Shape (n, k).
        returns: Shape (n, k).
        addend: What a book earns besides, shape (n,), or (0,) for nothing.
    """
    bars, symbols = weights.shape
    pairs = np.column_stack(np.triu_indices(symbols))
    blocks = np.array_split(pairs, -(-len(pairs) * bars // _BLOCK_CELLS))
    mean = _circular_cross_products(weights, returns) / bars
    square = np.zeros(bars)
    for one, other in (block.T for block in blocks):
        products = returns[:, one] * returns[:, other] * np.where(one == other, 1.0, 2.0)
        square += _circular_cross_products(weights[:, one] * weights[:, other], products) / bars
    if len(addend):
        # The square of a sum: that of the positions, twice the product, that of the addend.
        cross = _circular_cross_products(weights, returns * addend[:, None]) / bars
        mean, square = mean + addend.mean(), square + 2.0 * cross + np.mean(addend**2)
    return mean, square


def _moments_by_products(
    weights: Matrix, returns: Matrix, addend: Vector
) -> tuple[Vector, Vector]:
    """As `_moments_by_transforms`, from what the weights of each bar earn at every other bar."""
    bars = len(weights)
    total, squares = np.zeros(bars), np.zeros(bars)
    for first in range(0, bars, _BLOCK_ROWS):
        earned = weights[first : first + _BLOCK_ROWS] @ returns.T
        if len(addend):
            earned += addend
        # Row i of the block begins with the bar of its own weights, first + i.
        rows = len(earned)
        start = first + np.arange(rows)[:, None]
        shifted = np.take_along_axis(earned, (start + np.arange(bars)) % bars, axis=1)
        total += shifted.sum(axis=0)
        squares += np.square(shifted).sum(axis=0)
    return total / bars, squares / bars


def _circular_cross_products(weights: Matrix, values: Matrix) -> Vector:
    """Sum over t and the columns of weights(t) values(t + s), s = 0 .. n - 1, shape (n,)."""
    spectrum = np.conj(np.fft.rfft(weights, axis=0)) * np.fft.rfft(values, axis=0)
    return np.asarray(np.fft.irfft(spectrum.sum(axis=1), len(weights)))

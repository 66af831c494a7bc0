"""Performance metrics computed from the returns of a book; one pure function a metric.

In every function `returns` holds the simple net return of each bar, shape (n,). A metric that is
not defined is None, also where a return is NaN; none is ever NaN or infinite. Sharpe and Sortino
ratios above a risk-free rate are those of the excess returns, see `RatesByBar.excess`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.data.rates import RatesByBar

_CONSTANT_TOLERANCE = 1e-12
"""Returns that differ by less than this fraction of their size are constant: the difference is
rounding error, and a ratio over it would be noise."""


def is_ruined(returns: Vector) -> bool:
    """Whether a book lost all of its equity: a return of exactly -1, see `simulation.simulate`.

    The bars after it have returns of 0 that nobody earned. Volatility, and the ratios of returns
    to their risk, are not defined for such a book; total return, CAGR and drawdowns are.
    """
    return bool((returns == -1.0).any())


def total_return(returns: Vector) -> float | None:
    """Total return, prod(1 + r) - 1; a fraction, 0 without bars."""
    return finite_or_none(np.prod(1.0 + returns) - 1.0)


def cagr(returns: Vector, periods_per_year: float) -> float | None:
    """Compound annual growth rate, prod(1 + r)^(periods_per_year / n) - 1.

    Years are counted in bars, so that gaps in the calendar do not lower the rate.

    Returns:
        An annual fraction; -1 for a book that lost all its equity; None without bars.
    """
    if len(returns) == 0:
        return None
    return finite_or_none(np.prod(1.0 + returns) ** (periods_per_year / len(returns)) - 1.0)


def annualised_volatility(returns: Vector, periods_per_year: float) -> float | None:
    """Annualised volatility: standard deviation (ddof 1) x sqrt(periods_per_year).

    Returns:
        An annual fraction; None below two bars, and for a ruined book.
    """
    if len(returns) < 2 or is_ruined(returns):
        return None
    return finite_or_none(_standard_deviation(returns) * np.sqrt(periods_per_year))


def sharpe(returns: Vector, periods_per_year: float) -> float | None:
    """Sharpe ratio, mean / standard deviation (ddof 1) x sqrt(periods_per_year).

    Returns:
        The annualised ratio; None below two bars, for a ruined book, and for constant returns, as
        of a book that never trades.

    Source: Sharpe (1994), The Sharpe Ratio, J. of Portfolio Management 21(1).
    """
    if len(returns) < 2 or is_ruined(returns):
        return None
    return _safe_ratio(np.mean(returns) * np.sqrt(periods_per_year), _standard_deviation(returns))


def sharpe_by_window(
    returns: Matrix, window: IntVector, periods_per_year: float, rates: RatesByBar | None = None
) -> dict[int, tuple[float | None, ...]]:
    """Sharpe ratio of each column over the test bars of each walk-forward window.

    Positions carry over from window to window: a position that the previous window decided may be
    held over the first test bars of the next one, and its returns count there.

    Args:
        returns: Net simple returns, shape (n bars, k); no NaN.
        window: Window whose test part holds each bar, shape (n,).
        periods_per_year: Annualises, as in `sharpe`.
        rates: Interest rates on the n bars; None for 0.

    Returns:
        Window -> k annualised ratios, windows in order of appearance; None for constant returns, a
        window in which nothing was held, or a single bar.
    """

    def excess(rows: npt.NDArray[np.bool_]) -> Matrix:
        return returns[rows] if rates is None else rates.rows(rows).excess_values(returns[rows])

    return {
        index: tuple(sharpe(column, periods_per_year) for column in excess(window == index).T)
        for index in dict.fromkeys(window.tolist())
    }


def sortino(returns: Vector, periods_per_year: float) -> float | None:
    """Sortino ratio, mean / downside deviation x sqrt(periods_per_year).

    The downside deviation is sqrt(mean(min(r, 0)^2)) over all n bars, not only the losing ones.

    Returns:
        The annualised ratio; None without a losing bar, and for a ruined book.

    Source: Sortino & Price (1994), Performance Measurement in a Downside Risk Framework.
    """
    if len(returns) == 0 or is_ruined(returns):
        return None
    downside = np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2))
    return _safe_ratio(np.mean(returns) * np.sqrt(periods_per_year), downside)


def drawdowns(returns: Vector) -> Vector:
    """Drawdown at each close, equity / highest equity so far - 1; the start counts as a peak.

    Returns:
        Fractions at or below 0, shape (n,).
    """
    equity = np.cumprod(1.0 + returns)
    return equity / np.maximum(np.maximum.accumulate(equity), 1.0) - 1.0


def max_drawdown(returns: Vector) -> float | None:
    """Max drawdown, the minimum of `drawdowns`; a fraction at or below 0."""
    return finite_or_none(drawdowns(returns).min(initial=0.0))


def max_drawdown_bars(returns: Vector) -> int:
    """Duration of the max drawdown in bars: from its peak to recovery, or to the end.

    The bar that brings the equity back to the peak counts. 0 without a drawdown; of two equally
    deep ones, the first. Another, less deep drawdown may last longer: see `longest_drawdown_bars`.
    """
    depths = drawdowns(returns)
    if not (depths < 0).any():
        return 0
    deepest = int(np.argmin(depths))
    at_peak = np.flatnonzero(depths >= 0)
    peak = at_peak[at_peak < deepest].max(initial=-1)
    recovered = at_peak[at_peak > deepest].min(initial=len(depths) - 1)
    return int(recovered - peak)


def longest_drawdown_bars(returns: Vector) -> int:
    """Longest time under water in bars: from a peak to recovery, or to the end.

    Counted as in `max_drawdown_bars`, over all drawdowns, however deep. 0 without a drawdown.
    """
    depths = drawdowns(returns)
    if not (depths < 0).any():
        return 0
    at_peak = np.flatnonzero(depths >= 0)
    last = len(depths) - 1
    durations = np.diff(np.concatenate([[-1], at_peak]))
    recovered = durations[durations > 1].max(initial=0)
    unrecovered = last - at_peak.max(initial=-1)
    return int(max(recovered, unrecovered))


def calmar(returns: Vector, periods_per_year: float) -> float | None:
    """Calmar ratio, CAGR / |max drawdown|, both over all bars.

    Returns:
        The ratio; None without a drawdown, and for a ruined book.

    Source: Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1), there over 36 months.
    """
    growth, depth = cagr(returns, periods_per_year), max_drawdown(returns)
    if growth is None or depth is None or is_ruined(returns):
        return None
    return _safe_ratio(growth, -depth)


def finite_or_none(value: float | np.floating[Any]) -> float | None:
    """The value as a plain float; None where it is NaN or infinite."""
    return float(value) if np.isfinite(value) else None


def _safe_ratio(numerator: float | np.floating[Any], denominator: float) -> float | None:
    return finite_or_none(numerator / denominator) if denominator > 0 else None


def _standard_deviation(returns: Vector) -> float:
    """Standard deviation (ddof 1), exactly 0 for constant returns."""
    if np.ptp(returns) <= _CONSTANT_TOLERANCE * np.abs(returns).max():
        return 0.0
    return float(np.std(returns, ddof=1))

"""Figures of the last bars at each bar.

Everywhere: rows that have fewer than `window` bars behind them, themselves included, are NaN;
returns are simple net returns of one bar each, none NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import WideFrame

MIN_WINDOW = 20


def rolling_window_length(bars: int, periods_per_year: float) -> int:
    """Length of the rolling window: a year, or a quarter of a span shorter than four years."""
    return min(round(periods_per_year), max(MIN_WINDOW, bars // 4))


def rolling_sharpe(returns: WideFrame, *, window: int, periods_per_year: float) -> WideFrame:
    """Mean over standard deviation (ddof 1) of the last `window` returns, annualised.

    NaN where returns did not vary; shape as `returns`.
    """
    deviation = returns.rolling(window).std().mask(_is_constant(returns, window))
    return returns.rolling(window).mean() / deviation * math.sqrt(periods_per_year)


def rolling_volatility(returns: WideFrame, *, window: int, periods_per_year: float) -> WideFrame:
    """Standard deviation (ddof 1) of the last `window` returns times sqrt(periods_per_year).

    A fraction a year; 0 where returns did not vary; shape as `returns`.
    """
    deviation = returns.rolling(window).std().mask(_is_constant(returns, window), 0.0)
    return deviation * math.sqrt(periods_per_year)


def rolling_beta(
    returns: pd.Series[float], benchmark: pd.Series[float], *, window: int
) -> pd.Series[float]:
    """cov(returns, benchmark) / var(benchmark) over the last `window` bars.

    The slope of a regression with an intercept of the returns on the benchmark's; NaN where the
    benchmark did not vary; shape (n,).
    """
    flat = _is_constant(benchmark.to_frame(), window).iloc[:, 0]
    variance = benchmark.rolling(window).var().mask(flat)
    return returns.rolling(window).cov(benchmark) / variance


def rolling_turnover(
    trades: pd.DataFrame, index: pd.DatetimeIndex, *, window: int, periods_per_year: float
) -> pd.Series[float]:
    """Value traded in the last `window` bars as `trading.turnover_per_year` counts it, a year.

    sum(size x price / equity at the fill) x periods_per_year / window; both sides count.

    Args:
        trades: A book's fills, as `Result` describes them.
        index: The bars, shape (n,).
        window: Bars.
        periods_per_year: Bars a year.

    Returns:
        Multiples of the equity a year, shape (n,).
    """
    value = trades["size"] * trades["price"] / trades["equity"]
    by_bar = value.groupby(trades["timestamp"]).sum().reindex(index, fill_value=0.0)
    # pandas' running sums leave rounding dust below 0 where nothing is traded any more.
    return by_bar.rolling(window).sum().clip(lower=0.0) * (periods_per_year / window)


def _is_constant(returns: WideFrame, window: int) -> WideFrame:
    """Where all of the last `window` are equal; pandas' running sums leave rounding dust there."""
    rolling = returns.rolling(window)
    flat: WideFrame = rolling.max() - rolling.min() <= 0
    return flat

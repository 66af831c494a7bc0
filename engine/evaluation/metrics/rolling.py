"""Rolling metrics: at each bar, a metric of the last `window` bars.

In every function the first `window` - 1 rows are NaN. Returns are simple net returns of a bar,
without NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.data.rates import RatesByBar

MIN_WINDOW = 20


def rolling_window_length(bars: int, periods_per_year: float) -> int:
    """Length of the rolling window in bars: a year, or a quarter of a span below four years."""
    return min(round(periods_per_year), max(MIN_WINDOW, bars // 4))


def rolling_sharpe(
    returns: WideFrame, *, window: int, periods_per_year: float, rates: RatesByBar | None = None
) -> WideFrame:
    """Rolling Sharpe ratio: mean / standard deviation (ddof 1) of excess returns, annualised.

    NaN where they are constant, or nothing was held, and from the bar at which a book is ruined;
    same shape as `returns`.

    Args:
        returns: Net returns, a column a book.
        window: Length of the window in bars.
        periods_per_year: Bars a year.
        rates: Interest rates on the bars of `returns`; None for 0.
    """
    excess, without_risk = returns, _is_constant(returns, window)
    if rates is not None and not rates.is_zero:
        excess = returns.sub(rates.risk_free_per_bar, axis=0)
        idle = pd.DataFrame(
            rates.idle(returns.to_numpy()), index=returns.index, columns=returns.columns
        )
        without_risk = idle.astype(float).rolling(window).min() > 0
    undefined = without_risk | _is_constant(excess, window) | _is_ruined(returns)
    deviation = excess.rolling(window).std().mask(undefined)
    return excess.rolling(window).mean() / deviation * math.sqrt(periods_per_year)


def rolling_volatility(returns: WideFrame, *, window: int, periods_per_year: float) -> WideFrame:
    """Rolling volatility: standard deviation (ddof 1) x sqrt(periods_per_year).

    An annual fraction; 0 where returns are constant, NaN from the bar at which a book is ruined;
    same shape as `returns`.
    """
    deviation = returns.rolling(window).std().mask(_is_constant(returns, window), 0.0)
    deviation = deviation.mask(_is_ruined(returns))
    return deviation * math.sqrt(periods_per_year)


def rolling_beta(
    returns: pd.Series[float], benchmark: pd.Series[float], *, window: int
) -> pd.Series[float]:
    """Rolling beta: cov(returns, benchmark) / var(benchmark), shape (n,).

    The slope of a regression of the returns on those of the benchmark, with an intercept. NaN
    where the benchmark is constant.
    """
    constant = _is_constant(benchmark.to_frame(), window).iloc[:, 0]
    variance = benchmark.rolling(window).var().mask(constant)
    return returns.rolling(window).cov(benchmark) / variance


def rolling_turnover(
    trades: pd.DataFrame, index: pd.DatetimeIndex, *, window: int, periods_per_year: float
) -> pd.Series[float]:
    """Rolling turnover, annualised as in `trade_metrics.turnover_per_year`.

    sum(size x price / equity at the fill) x periods_per_year / window; buys and sells both count.

    Args:
        trades: Fills of a book, as `SimulationResult` describes them.
        index: Timestamps of the bars, shape (n,).
        window: Length of the window in bars.
        periods_per_year: Bars a year.

    Returns:
        Multiples of the equity per year, shape (n,).
    """
    value = trades["size"] * trades["price"] / trades["equity"]
    by_bar = value.groupby(trades["timestamp"]).sum().reindex(index, fill_value=0.0)
    # The running sums of pandas leave rounding errors below 0 where nothing was traded.
    return by_bar.rolling(window).sum().clip(lower=0.0) * (periods_per_year / window)


def _is_ruined(returns: WideFrame) -> WideFrame:
    """Whether a book has lost all of its equity by each bar."""
    return (returns == -1.0).cummax()


def _is_constant(returns: WideFrame, window: int) -> WideFrame:
    """Where the last `window` returns are equal; the running sums of pandas round there."""
    rolling = returns.rolling(window)
    constant: WideFrame = rolling.max() - rolling.min() <= 0
    return constant

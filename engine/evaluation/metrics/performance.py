"""Performance metrics of one book, as `metrics.json` holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.metrics.return_metrics import (
    annualised_volatility,
    cagr,
    calmar,
    longest_drawdown_bars,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    sortino,
    total_return,
)
from engine.evaluation.metrics.trade_metrics import (
    break_even_cost,
    cost_paid,
    exposure,
    hit_rate,
    turnover_per_year,
)

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Vector, WideFrame


def performance_metrics(
    net_returns: pd.Series[float],
    held_weights: WideFrame,
    trades: pd.DataFrame,
    *,
    periods_per_year: float,
    excess_returns: Vector | None = None,
) -> dict[str, float | int | None]:
    """All performance metrics of a book; the key names the unit.

    The formulas are in `return_metrics` (from returns) and `trade_metrics` (from weights and
    fills).

    Args:
        net_returns: Net return of each bar; no NaN.
        held_weights: Fraction of the equity in each symbol at each close, signed.
        trades: Fills, as `SimulationResult` describes them.
        periods_per_year: Bars a year on the dataset's calendar.
        excess_returns: Shape (n,): the returns above the risk-free rate, of which Sharpe and
            Sortino ratio are made; None where that rate is 0.

    Returns:
        Plain floats and ints; None where a metric is not defined.
    """
    returns = np.asarray(net_returns, dtype=np.float64)
    excess = returns if excess_returns is None else excess_returns
    return {
        "total_return_pct": _scale(100, total_return(returns)),
        "cagr_pct": _scale(100, cagr(returns, periods_per_year)),
        "volatility_pct": _scale(100, annualised_volatility(returns, periods_per_year)),
        "sharpe": sharpe(excess, periods_per_year),
        "sortino": sortino(excess, periods_per_year),
        "calmar": calmar(returns, periods_per_year),
        "max_drawdown_pct": _scale(100, max_drawdown(returns)),
        "max_drawdown_bars": max_drawdown_bars(returns),
        "longest_drawdown_bars": longest_drawdown_bars(returns),
        "turnover_per_year": turnover_per_year(trades, len(returns), periods_per_year),
        "exposure_pct": _scale(100, exposure(held_weights)),
        "trades": len(trades),
        "hit_rate_pct": _scale(100, hit_rate(trades)),
        "cost_paid_pct": _scale(100, cost_paid(trades)),
        "break_even_cost_bps": _scale(10_000, break_even_cost(returns, trades)),
    }


def _scale(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value

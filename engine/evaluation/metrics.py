"""The table of figures of one book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation import measures, trading

if TYPE_CHECKING:
    import pandas as pd

    from engine.types import WideFrame


def book_metrics(
    result_returns: pd.Series[float],
    held: WideFrame,
    trades: pd.DataFrame,
    *,
    periods_per_year: float,
) -> dict[str, float | int | None]:
    """Every figure of a book; the key names the unit.

    Each formula stands in `measures` (from returns) and `trading` (from holdings and trades).

    Args:
        result_returns: Net return of each bar; no NaN.
        held: Fraction of the equity in each symbol at each close, signed.
        trades: Every fill, as `Result` describes them.
        periods_per_year: Bars a year on the dataset's own calendar.

    Returns:
        Plain floats and ints; None where a figure is not defined.
    """
    returns = np.asarray(result_returns, dtype=np.float64)
    return {
        "total_return_pct": _times(100, measures.total_return(returns)),
        "cagr_pct": _times(100, measures.cagr(returns, periods_per_year)),
        "volatility_pct": _times(100, measures.annualised_volatility(returns, periods_per_year)),
        "sharpe": measures.sharpe(returns, periods_per_year),
        "sortino": measures.sortino(returns, periods_per_year),
        "calmar": measures.calmar(returns, periods_per_year),
        "max_drawdown_pct": _times(100, measures.max_drawdown(returns)),
        "max_drawdown_bars": measures.max_drawdown_bars(returns),
        "turnover_per_year": trading.turnover_per_year(trades, len(returns), periods_per_year),
        "exposure_pct": _times(100, trading.exposure(held)),
        "trades": len(trades),
        "hit_rate_pct": _times(100, trading.hit_rate(trades)),
        "cost_paid_pct": _times(100, trading.cost_paid(trades)),
        "break_even_cost_bps": _times(10_000, trading.break_even_cost(returns, trades)),
    }


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value

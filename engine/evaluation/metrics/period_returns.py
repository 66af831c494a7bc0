"""Growth over time, and returns of calendar periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def cumulative_growth(returns: WideFrame) -> WideFrame:
    """Growth of 1: E_t = (1 + r_1) ... (1 + r_t); shape as `returns`, none of them NaN."""
    return (1.0 + returns).cumprod()


def drawdown_pct(returns: WideFrame) -> WideFrame:
    """Loss from the highest equity so far, the start included: D_t = 100 (E_t / max E - 1).

    Per cent, at most 0; shape as `returns`, none of them NaN.
    """
    growth = cumulative_growth(returns)
    return 100.0 * (growth / growth.cummax().clip(lower=1.0) - 1.0)


def compound_returns_pct(returns: pd.Series[float], frequency: str) -> dict[str, float]:
    """Return of each month (`M`, key `2003-06`) or year (`Y`, key `2003`): 100 (prod(1 + r) - 1).

    Args:
        returns: Index timestamp (UTC), net simple returns, no NaN.
        frequency: `M` or `Y`.

    Returns:
        Per cent, ascending, only the months or years in which there are bars.
    """
    periods = pd.DatetimeIndex(returns.index).tz_localize(None).to_period(frequency).astype(str)
    growth = (1.0 + returns).groupby(periods).prod()
    return {str(period): 100.0 * (float(value) - 1.0) for period, value in growth.items()}

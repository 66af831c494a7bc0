"""Trade metrics computed from the weights and fills of a book; one pure function a metric.

In every function `trades` is that of a `SimulationResult`, a row a fill. A metric that is not
defined is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.metrics.fill_matching import match_fills
from engine.evaluation.metrics.return_metrics import is_ruined

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Vector, WideFrame


def turnover_per_year(trades: pd.DataFrame, bars: int, periods_per_year: float) -> float | None:
    """Annual turnover, sum(size x price / equity at the fill) / years.

    Buys and sells both count: a full position opened and closed once a year is 2. Years are
    bars / periods_per_year.

    Returns:
        Multiples of the equity per year; None without bars.
    """
    if bars == 0:
        return None
    traded = trades["size"] * trades["price"] / trades["equity"]
    return float(traded.sum() * periods_per_year / bars)


def exposure(held_weights: WideFrame) -> float | None:
    """Share of the closes at which a position of any size or sign was held.

    Returns:
        A fraction from 0 to 1; None without bars.
    """
    return float((held_weights != 0).any(axis=1).mean()) if len(held_weights) else None


def cost_paid(trades: pd.DataFrame) -> float:
    """Sum of fees and slippage, each as a fraction of the equity at its fill; 0 without fills."""
    return float(((trades["fee"] + trades["slippage_cost"]) / trades["equity"]).sum())


def mean_cost_paid(trades: pd.DataFrame) -> float | None:
    """Fees and slippage as a share of the value traded, at the prices before slippage.

    Returns:
        A fraction; None without fills.
    """
    if trades.empty:
        return None
    paid = trades["fee"] + trades["slippage_cost"]
    return float(paid.sum() / _value_before_slippage(trades).sum())


def wait_metrics(waits: pd.DataFrame) -> dict[str, int]:
    """How many orders waited for a bar with a trade, and how long.

    Args:
        waits: As in `SimulationResult`, a row an order.

    Returns:
        `orders_waited`, `bars_waited` (summed over the orders) and `longest_wait_bars`.
    """
    bars = waits["bars"]
    return {
        "orders_waited": len(bars),
        "bars_waited": int(bars.sum()),
        "longest_wait_bars": int(bars.max()) if len(bars) else 0,
    }


def limit_metrics(trades: pd.DataFrame, limited: pd.DataFrame) -> dict[str, float]:
    """What bars could not fill of orders, by the share of their volume that an order may be.

    Args:
        trades: Fills of a book.
        limited: As in `SimulationResult`, a row a bar and order that it cut.

    Returns:
        `fills_limited`: bars at which an order was cut, summed over the orders; `unfilled_pct`: of
        all value that orders asked for at some bar, what that bar left for the next, percent. What
        waits for several bars counts at each.
    """
    left = float((limited["unfilled"] * limited["price"]).sum())
    filled = float((trades["size"] * trades["price"]).sum())
    share = 100 * left / (left + filled) if left > 0 else 0.0
    return {"fills_limited": len(limited), "unfilled_pct": share}


def hit_rate(trades: pd.DataFrame) -> float | None:
    """Share of the finished round trips with a profit, see `round_trip_profits`.

    Returns:
        A fraction from 0 to 1; None without a finished round trip.
    """
    profits = round_trip_profits(trades)
    return float((profits > 0).mean()) if len(profits) else None


def round_trip_profits(trades: pd.DataFrame) -> Vector:
    """Profit of each finished round trip after fees and slippage, in the order of their ends.

    See `match_fills`. Open round trips do not count; borrow cost is not included.

    Returns:
        Money for an initial equity of 1, shape (round trips,).
    """
    finished = (trip for trip in match_fills(trades) if not trip.open)
    return np.array([trip.cash_flow for trip in finished], dtype=np.float64)


def break_even_cost(returns: Vector, trades: pd.DataFrame) -> float | None:
    """One-way cost at which the total return of the book would be 0.

    Let b be the bars with fills, f_b the value traded and k_b the fees and slippage paid there,
    both as fractions of the equity at the fill. A cost of c per unit traded gives the log growth

        G + sum_b log(1 - c f_b),  with  G = sum_t log(1 + r_t) - sum_b log(1 - k_b)

    where G is the log growth before fees and slippage; the root in c is returned. Value traded is
    at the price before slippage. This is an approximation: the fractions traded and the returns
    between fills are kept, although a book with higher costs would have traded slightly less.
    Borrow cost stays in G.

    Args:
        returns: Net returns, shape (n,).
        trades: Fills of the same book.

    Returns:
        Fee + slippage as a fraction of the value traded; None for a book that never trades, is
        ruined, or has no gain before costs. The fills of a bar never cost a book that lives its
        whole equity, so that every logarithm is of a positive number.
    """
    from scipy.optimize import brentq

    if trades.empty or is_ruined(returns):
        return None
    traded = _sum_by_bar(_value_before_slippage(trades) / trades["equity"], trades)
    paid = _sum_by_bar((trades["fee"] + trades["slippage_cost"]) / trades["equity"], trades)
    gross = float(np.log1p(returns).sum() - np.log1p(-paid).sum())
    if gross <= 0:
        return None
    # At 1 / max(f) the fills of a single bar would cost the whole equity.
    highest = (1.0 - 1e-12) / float(traded.max())
    if gross + np.log1p(-highest * traded).sum() > 0:
        return highest
    return float(brentq(lambda c: gross + np.log1p(-c * traded).sum(), 0.0, highest, xtol=1e-12))


def _value_before_slippage(trades: pd.DataFrame) -> pd.Series[float]:
    value = trades["size"] * trades["price"]
    side = np.where(trades["side"] == "buy", 1.0, -1.0)
    before: pd.Series[float] = value - side * trades["slippage_cost"]
    return before


def _sum_by_bar(fractions: pd.Series[float], trades: pd.DataFrame) -> Vector:
    return np.asarray(fractions.groupby(trades["timestamp"]).sum(), dtype=np.float64)

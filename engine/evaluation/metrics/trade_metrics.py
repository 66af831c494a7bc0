"""What a book's holdings and trades say about it: one pure function a figure.

Everywhere: `trades` is a Result's, a row a fill. A figure that is not defined is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.metrics.fill_matching import match_fills

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Vector, WideFrame


def turnover_per_year(trades: pd.DataFrame, bars: int, periods_per_year: float) -> float | None:
    """Value traded a year, sum(size x price / equity at the fill) / years.

    Both sides count: in and out again once a year is 2. Years are bars / periods_per_year.

    Returns:
        Multiples of the equity a year; None without bars.
    """
    if bars == 0:
        return None
    traded = trades["size"] * trades["price"] / trades["equity"]
    return float(traded.sum() * periods_per_year / bars)


def exposure(held_weights: WideFrame) -> float | None:
    """Share of the closes at which a position was held, of whatever size or sign.

    Returns:
        A fraction from 0 to 1; None without bars.
    """
    return float((held_weights != 0).any(axis=1).mean()) if len(held_weights) else None


def cost_paid(trades: pd.DataFrame) -> float:
    """Fees and slippage, each as a fraction of the equity at its fill, summed; 0 untraded."""
    return float(((trades["fee"] + trades["slippage_cost"]) / trades["equity"]).sum())


def hit_rate(trades: pd.DataFrame) -> float | None:
    """Share of the round trips that made money, see `round_trip_profits`.

    Returns:
        A fraction from 0 to 1; None without a finished round trip.
    """
    profits = round_trip_profits(trades)
    return float((profits > 0).mean()) if len(profits) else None


def round_trip_profits(trades: pd.DataFrame) -> Vector:
    """Profit of each finished round trip after fees and slippage, in the order of their ends.

    See `trips.trips`. What is still open at the end does not count; borrow cost is no part of it.

    Returns:
        Money for an initial equity of 1, shape (round trips,).
    """
    finished = (trip for trip in match_fills(trades) if not trip.open)
    return np.array([trip.cash_flow for trip in finished], dtype=np.float64)


def break_even_cost(returns: Vector, trades: pd.DataFrame) -> float | None:
    """One-way cost at which the book would have ended where it began.

    With b the bars that trade, f_b the value they trade and k_b the fees and slippage they cost,
    both as fractions of the equity at the fill, a cost of c a unit traded makes the log growth

        G + sum_b log(1 - c f_b),  with  G = sum_t log(1 + r_t) - sum_b log(1 - k_b)

    the growth before fees and slippage; the root in c is returned. Value traded is at the price
    before slippage. An approximation: the fractions traded and the returns in between are kept,
    though a dearer book would have traded a little less; what borrowing cost stays in G.

    Args:
        returns: Net returns, shape (n,).
        trades: The fills behind them.

    Returns:
        Fee + slippage as a fraction of the value traded; None for a book that never trades, or
        that does not gain even before costs.
    """
    from scipy.optimize import brentq

    if trades.empty or (returns <= -1.0).any():
        return None
    value = trades["size"] * trades["price"]
    value = value - np.where(trades["side"] == "buy", 1.0, -1.0) * trades["slippage_cost"]
    traded = _sum_by_bar(value / trades["equity"], trades)
    paid = _sum_by_bar((trades["fee"] + trades["slippage_cost"]) / trades["equity"], trades)
    gross = float(np.log1p(returns).sum() - np.log1p(-paid).sum())
    if gross <= 0:
        return None
    # At 1 / max(f) a single bar's trades would cost all there is.
    highest = (1.0 - 1e-12) / float(traded.max())
    if gross + np.log1p(-highest * traded).sum() > 0:
        return highest
    return float(brentq(lambda c: gross + np.log1p(-c * traded).sum(), 0.0, highest, xtol=1e-12))


def _sum_by_bar(fractions: pd.Series[float], trades: pd.DataFrame) -> Vector:
    return np.asarray(fractions.groupby(trades["timestamp"]).sum(), dtype=np.float64)

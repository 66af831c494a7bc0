"""Capacity: the Sharpe ratio of the decided weights against the money that they trade."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.metrics.return_metrics import sharpe
from engine.runs.documents.significance_capacity import CapacityFigures, CapacityPoint
from engine.signals.orders import schedule_orders
from engine.simulation.book_values import Variation
from engine.simulation.portfolio import simulate_variations

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Vector, WideFrame
    from engine.data.rates import RatesByBar
    from engine.simulation.config import Execution
    from engine.simulation.costs import BoundCosts

CAPITALS = tuple(float(f"{10.0 ** (half / 2):.3g}") for half in range(6, 21))
"""Money, from 10^3 to 10^10 in half powers of ten."""

EDGE_KEPT = 0.5
"""Share of the gross edge that is left at the capacity."""

_LOG_TOLERANCE = 1e-3
"""Of the base-10 logarithm of the capacity: a quarter of a percent."""


def measure_capacity(  # noqa: PLR0913 - all that fills depend on
    weights: WideFrame,
    bars_open: WideFrame,
    bars_close: WideFrame,
    costs: BoundCosts,
    execution: Execution,
    *,
    capital: float,
    periods_per_year: float,
    rates: RatesByBar,
    traded: WideFrame | None,
    lags: WideFrame | None = None,
    settlements: WideFrame | None = None,
) -> CapacityFigures:
    """Simulates the decided weights with other capital.

    The gross edge is the mean excess return a year of the same weights where fills pay nothing and
    bars fill every order; borrow cost and interest stay. The net edge is the same at the costs of
    the strategy. The capacity is the capital at which half of the gross edge is gone: the first
    one, upwards from the least capital of the grid with at least half, by Brent's method on its
    logarithm, to a quarter of a percent. A smaller book may lose more than half to minimums. A
    far larger one whose orders are mostly left unfilled hardly trades, so that it may have any
    edge: that of the weights that it happens to hold.

    Args:
        weights: Decided at each close, as the run's.
        bars_open: The same bars.
        bars_close: The same bars.
        costs: Of the strategy, at its own capital.
        execution: Of the strategy.
        capital: Of the strategy.
        periods_per_year: Bars a year.
        rates: On the same bars.
        traded: As in `simulate`.
        lags: As in `schedule_orders`.
        settlements: As in `simulate`.

    Returns:
        Without a capacity where the gross edge is not above 0, where less than half of it is left
        at every capital of `CAPITALS`, or more from some capital up to the largest.
    """
    schedule = schedule_orders(weights, execution.delay, lags)

    def excess_returns(charged: list[BoundCosts]) -> list[Vector]:
        variations = (Variation(schedule, execution.delay, each, lags) for each in charged)
        simulated = simulate_variations(
            variations,
            bars_open[list(weights)],
            bars_close[list(weights)],
            execution=execution,
            traded=traded,
            settlements=settlements,
            cash_rates=rates.cash,
        )
        return [rates.excess_values(returns) for returns in simulated]

    def edge(returns: Vector) -> float:
        return float(np.mean(returns)) * periods_per_year

    grid = sorted({*CAPITALS, capital})
    gross, *net = excess_returns([costs.free(), *(costs.with_capital(each) for each in grid)])
    least = EDGE_KEPT * edge(gross)

    def left(log_capital: float) -> float:
        (returns,) = excess_returns([costs.with_capital(10.0**log_capital)])
        return edge(returns) - least

    kept = [edge(returns) - least for returns in net]
    return CapacityFigures(
        capital=capital,
        points=tuple(
            CapacityPoint(
                capital=each,
                sharpe=sharpe(returns, periods_per_year),
                net_return_pct=100 * edge(returns),
            )
            for each, returns in zip(grid, net, strict=True)
        ),
        gross_return_pct=100 * edge(gross),
        edge_kept_pct=100 * EDGE_KEPT,
        capacity=_find_capacity(grid, kept, left) if least > 0 else None,
        status=_status(kept) if least > 0 else "no edge",
    )


def _status(kept: list[float]) -> Literal["found", "above", "below"]:
    enough = [each >= 0 for each in kept]
    if not any(enough):
        return "below"
    return "above" if all(enough[enough.index(True) :]) else "found"


def _find_capacity(
    grid: list[float], kept: list[float], left: Callable[[float], float]
) -> float | None:
    """Between the first capital at which enough is left and the next one is not, and that one."""
    from scipy.optimize import brentq

    if _status(kept) != "found":
        return None
    last = next(n for n, (here, after) in enumerate(pairwise(kept)) if here >= 0 > after)
    ends = math.log10(grid[last]), math.log10(grid[last + 1])
    if kept[last] == 0:
        return grid[last]
    return float(10.0 ** brentq(left, *ends, xtol=_LOG_TOLERANCE))

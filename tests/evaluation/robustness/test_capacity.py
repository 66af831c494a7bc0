"""The Sharpe ratio over capital, and the capital at which half of the edge is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from engine.data.rates import RatesByBar
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.capacity import CAPITALS, measure_capacity
from engine.simulation import Execution, ItemisedCosts, simulate
from engine.testing.markets import make_market, market_of

if TYPE_CHECKING:
    from engine.runs.documents.significance_capacity import CapacityFigures

FREE = {"commission": {"kind": "bps", "bps": 0}, "spread": {"kind": "constant", "half_bps": 0}}


def measured(
    costs: dict[str, Any], *, drift: float = 0.001, capital: float = 1e5
) -> CapacityFigures:
    """In and out every other day of prices that rise while the position is held."""
    bars = make_market(300, seed=5).bars.copy()
    held = np.arange(300) // 2 % 2
    walk = np.random.default_rng(2).normal(0.0, 0.005, 300)
    price = 100 * np.exp(np.cumsum(walk + drift * np.roll(held, 1)))
    own = bars["symbol"] == "AAA"
    for column in ("open", "high", "low", "close"):
        bars.loc[own, column] = price
    bars.loc[own, "volume"] = 1e6
    market = market_of(bars)
    closes = market.wide("close")[["AAA"]]
    bound = ItemisedCosts.model_validate(FREE | costs).bind(market).with_capital(capital)
    weights = pd.DataFrame({"AAA": 0.5 * held}, index=closes.index)
    figures = measure_capacity(
        weights,
        closes,
        closes,
        bound,
        Execution(),
        capital=capital,
        periods_per_year=252.0,
        rates=RatesByBar.constant(closes.index),
        traded=None,
    )
    run = simulate(weights, closes, closes, costs=bound, execution=Execution())
    (at_own,) = (point for point in figures.points if point.capital == capital)
    assert at_own.sharpe == sharpe(run.returns.to_numpy(), 252.0)
    return figures


def test_half_of_the_edge_is_left_at_the_capacity_and_less_above_it() -> None:
    figures = measured({"impact": {"coefficient": 1}})
    assert figures.status == "found"
    assert figures.capacity is not None
    again = measured({"impact": {"coefficient": 1}}, capital=figures.capacity)
    (at_capacity,) = (p for p in again.points if p.capital == figures.capacity)
    half = figures.gross_return_pct / 2
    assert at_capacity.net_return_pct == pytest.approx(half, rel=2e-3)
    assert all(
        (point.net_return_pct >= half) == (point.capital <= figures.capacity)
        for point in figures.points
    )


def test_twice_the_impact_is_a_quarter_of_the_capacity() -> None:
    one, two = (measured({"impact": {"coefficient": each}}).capacity for each in (0.5, 1.0))
    assert one is not None
    assert two is not None
    assert one / two == pytest.approx(4.0, rel=0.05)


def test_minimums_weigh_on_small_books_and_leave_large_ones_alone() -> None:
    figures = measured({"commission": {"kind": "bps", "bps": 0, "minimum": 1}})
    net = [point.net_return_pct for point in figures.points]
    assert net == sorted(net)
    assert (figures.status, figures.capacity) == ("above", None)
    assert net[-1] == pytest.approx(figures.gross_return_pct, rel=1e-3)


def test_a_cap_of_the_volume_leaves_large_books_uninvested() -> None:
    figures = measured({"max_participation": 0.01})
    assert abs(figures.points[-1].net_return_pct) < 0.01 * figures.gross_return_pct
    assert figures.status == "found"


def test_there_is_no_capacity_of_an_edge_that_is_not_there() -> None:
    none = measured({"impact": {"coefficient": 1}}, drift=-0.002)
    assert (none.status, none.capacity) == ("no edge", None)
    lost = measured({"spread": {"kind": "constant", "half_bps": 200}, "impact": {}})
    assert (lost.status, lost.capacity) == ("below", None)


def test_the_capital_of_the_run_is_among_the_points() -> None:
    points = [point.capital for point in measured({"impact": {}}, capital=123_456.0).points]
    assert points == sorted([*CAPITALS, 123_456.0])

"""A whole run that pays item by item: what is told, what is equal, and the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.reporting.order_waits import describe_waits
from engine.reporting.tearsheet.capacity import describe_capacity
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import certify_strategy, make_strategy, run_stages
from tests.live.replays import backtest, replay_live

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy

WINDOWS = {"train": 120, "validation": 20, "test": 60}
COSTS = {
    "kind": "itemised",
    "commission": {"kind": "per_unit", "per_unit": 0.005, "minimum": 1, "maximum_pct": 1},
    "spread": {"kind": "corwin_schultz", "window": 10},
    "impact": {"coefficient": 0.1, "window": 10},
    "max_participation": 0.05,
}


def bars() -> Market:
    return generate_market(np.random.default_rng(4), 420, BarPattern(symbols=("S1", "S2")))


def strategy(capital: float, price: str = "open") -> Strategy:
    return make_strategy(
        costs=COSTS, capital=capital, windows=WINDOWS, execution={"delay": 1, "price": price}
    )


@pytest.fixture(scope="module")
def capital() -> float:
    """So much that orders are larger than a twentieth of the volume of some bars."""
    market = bars()
    value = market.wide("close")["S1"] * market.wide("volume")["S1"]
    return float(value.median() * 0.05)


@pytest.mark.slow
def test_what_bars_left_unfilled_and_the_capacity_are_told(capital: float) -> None:
    spec = strategy(capital)
    stages = run_stages(spec, bars())
    result, metrics = stages.result, stages.metrics
    own = metrics.books["strategy"]
    assert own.fills_limited == len(result.books["strategy"].limited) > 0
    assert own.unfilled_pct is not None
    assert 0 < own.unfilled_pct < 100
    assert any("share of a bar's volume" in sentence for sentence in describe_waits(metrics))
    figures = stages.significance.capacity
    assert figures is not None
    (at_own,) = (point for point in figures.points if point.capital == capital)
    assert at_own.sharpe == own.sharpe
    assert describe_capacity(figures)
    # The surface tells costs as what the fills of the run paid, and its cell is that of the run.
    trades = result.books["strategy"].trades
    value = (trades["size"] * trades["price"]).sum()
    surface = stages.significance.sensitivity
    assert surface is not None
    assert surface.chosen.sharpe == own.sharpe
    paid = 10_000 * (trades["fee"] + trades["slippage_cost"]).sum() / value
    assert surface.chosen.cost_bps == pytest.approx(paid, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
def test_the_certificate_finds_nothing_in_costs_of_the_bars_before(
    capital: float, price: str
) -> None:
    certificate = certify_strategy(strategy(capital, price), bars())
    assert "costs" in certificate["compared"]


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
@pytest.mark.parametrize("newest", [None, 70])
def test_bars_that_come_one_by_one_are_traded_as_all_at_once(
    capital: float, price: str, newest: int | None, tmp_path: Path
) -> None:
    result = backtest(strategy(capital, price), bars(), tmp_path)
    replay = replay_live(result, tmp_path, bars=newest)
    assert len(result.books["strategy"].limited) > 20
    assert replay.first_difference is None
    assert replay.differing.total == 0
    assert replay.compared.fills > 0

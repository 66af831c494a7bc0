from __future__ import annotations

import json

import pandas as pd
import pytest

from engine.evaluation.metrics.performance import performance_metrics
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

INDEX = pd.date_range("2024-01-01", periods=6, tz="UTC", name="timestamp")
OPEN = pd.DataFrame({"A": [10.0, 10.0, 11.0, 12.0, 9.0, 9.0]}, index=INDEX)
CLOSE = pd.DataFrame({"A": [10.0, 11.0, 12.0, 9.0, 9.0, 9.0]}, index=INDEX)


def metrics(weights: list[float], costs: Costs) -> dict[str, float | int | None]:
    frame = pd.DataFrame({"A": weights}, index=INDEX)
    result = simulate(frame, OPEN, CLOSE, costs=costs, execution=Execution())
    return performance_metrics(
        result.returns, result.held_weights, result.trades, periods_per_year=365.0
    )


def test_figures_of_a_book_written_out() -> None:
    figures = metrics([0.5, 0.5, 0.0, 0.0, 0.0, 0.0], Costs(fee_bps=100, slippage_bps=0))
    # Half bought at 10, sold at 12; 0.05 units, fees 0.005 and 0.006.
    equity = 1 + 0.05 * 2 - 0.005 - 0.006
    assert figures["total_return_pct"] == pytest.approx(100 * (equity - 1))
    assert figures["cagr_pct"] == pytest.approx(100 * (equity ** (365 / 6) - 1))
    # Entry fee at the second bar, exit fee at the fourth.
    assert figures["max_drawdown_pct"] == pytest.approx(100 * (1.089 / 1.095 - 1))
    assert figures["max_drawdown_bars"] == 3
    assert figures["longest_drawdown_bars"] == 3
    assert figures["turnover_per_year"] == pytest.approx((0.5 + 0.6 / 1.095) * 365 / 6)
    assert figures["exposure_pct"] == pytest.approx(100 * 2 / 6)
    assert figures["trades"] == 2
    assert figures["hit_rate_pct"] == 100.0
    assert figures["cost_paid_pct"] == pytest.approx(100 * (0.005 + 0.006 / 1.095))


def test_a_book_that_never_trades_has_no_ratios() -> None:
    figures = metrics([0.0] * 6, Costs())
    undefined = {"sharpe", "sortino", "calmar", "hit_rate_pct", "break_even_cost_bps"}
    assert {key for key, value in figures.items() if value is None} == undefined
    assert all(value == 0 for key, value in figures.items() if key not in undefined)


@pytest.mark.parametrize("weights", [[0.0] * 6, [1.0] * 6, [1.0, -1.0, 1.0, 0.0, -1.0, 0.0]])
def test_figures_are_plain_numbers_fit_for_json(weights: list[float]) -> None:
    figures = metrics(weights, Costs())
    json.dumps(figures, allow_nan=False)
    assert {type(value) for value in figures.values()} <= {float, int, type(None)}

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics import trade_metrics
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

COLUMNS = ["timestamp", "symbol", "side", "size", "price", "fee", "slippage_cost", "equity"]


def fills(*rows: tuple[str, float, float, float], symbol: str = "A") -> pd.DataFrame:
    """Side, size, price and fee of each; slippage cost 0.5, equity 100, a bar each."""
    days = pd.date_range("2024-01-01", periods=len(rows), tz="UTC")
    return pd.DataFrame(
        [(day, symbol, *row, 0.5, 100.0) for day, row in zip(days, rows, strict=True)],
        columns=COLUMNS,
    )


NONE = fills()


def test_turnover_counts_buys_and_sells_as_fractions_of_the_equity() -> None:
    trades = fills(("buy", 2, 25, 0), ("sell", 2, 30, 0))
    # 50 % and 60 % of the equity in half a year.
    assert trade_metrics.turnover_per_year(trades, 126, 252) == pytest.approx(2.2)
    assert trade_metrics.turnover_per_year(NONE, 126, 252) == 0.0


def test_exposure_is_the_share_of_closes_with_any_position() -> None:
    held = pd.DataFrame({"A": [0.0, 0.1, 0.0, 0.0], "B": [0.0, 0.0, -1.0, 0.0]})
    assert trade_metrics.exposure(held) == 0.5


def test_cost_is_fee_and_slippage_as_fractions_of_the_equity() -> None:
    assert trade_metrics.cost_paid(
        fills(("buy", 1, 10, 1.5), ("sell", 1, 10, 0))
    ) == pytest.approx(0.025)
    assert trade_metrics.cost_paid(NONE) == 0.0


@pytest.mark.parametrize(
    ("trades", "profits"),
    [
        (fills(("buy", 2, 10, 1), ("sell", 2, 12, 1)), [2.0]),
        # Fees turn a gain into a loss.
        (fills(("buy", 2, 10, 3), ("sell", 2, 12, 3)), [-2.0]),
        # Built up and taken down in parts is one trip.
        (
            fills(("buy", 1, 10, 0), ("buy", 1, 12, 0), ("sell", 0.5, 9, 0), ("sell", 1.5, 11, 0)),
            [-1.0],
        ),
        # Turned from 2 long to 1 short: two thirds of the fee are the first trip's.
        (fills(("buy", 2, 10, 0), ("sell", 3, 12, 3), ("buy", 1, 11, 0)), [2.0, 0.0]),
        (fills(("sell", 1, 10, 0), ("buy", 1, 8, 0)), [2.0]),
        # Open at the end.
        (fills(("buy", 1, 10, 0), ("sell", 1, 11, 0), ("buy", 1, 10, 0)), [1.0]),
        # Parts that do not add up exactly close all the same.
        (fills(("buy", 0.1, 10, 0), ("buy", 0.2, 10, 0), ("sell", 0.3, 11, 0)), [0.3]),
        (NONE, []),
    ],
)
def test_a_round_trip_ends_when_the_position_is_closed_or_reversed(
    trades: pd.DataFrame, profits: list[float]
) -> None:
    np.testing.assert_allclose(trade_metrics.round_trip_profits(trades), profits, atol=1e-12)


def test_round_trips_are_matched_by_symbol() -> None:
    long = fills(("buy", 1, 10, 0), ("sell", 1, 11, 0))
    short = fills(("sell", 1, 10, 0), ("buy", 1, 11, 0), symbol="B")
    trades = pd.concat([long, short]).sort_values("timestamp")
    assert sorted(trade_metrics.round_trip_profits(trades)) == [-1.0, 1.0]
    assert trade_metrics.hit_rate(trades) == 0.5


def test_hit_rate_without_a_finished_trip_is_none() -> None:
    assert trade_metrics.hit_rate(fills(("buy", 1, 10, 0))) is None


def test_break_even_cost_of_one_fill_equals_its_gain() -> None:
    # All of the equity traded once without cost, and a gain of a quarter: (1 - c) 1.25 = 1.
    trades = fills(("buy", 10, 10, 0)).assign(slippage_cost=0.0)
    assert trade_metrics.break_even_cost(np.array([0.0, 0.25]), trades) == pytest.approx(0.2)


def test_break_even_cost_of_a_book_that_never_trades_or_never_gains_is_none() -> None:
    trades = fills(("buy", 10, 10, 0)).assign(slippage_cost=0.0)
    assert trade_metrics.break_even_cost(np.zeros(3), NONE) is None
    assert trade_metrics.break_even_cost(np.array([0.0, -0.1]), trades) is None
    assert trade_metrics.break_even_cost(np.array([0.0, -1.0, 0.0]), trades) is None


@pytest.mark.parametrize("side", ["long_only", "long_short"])
@pytest.mark.parametrize("symbols", [1, 2])
def test_a_book_simulated_at_its_break_even_cost_earns_nothing(side: str, symbols: int) -> None:
    rng = np.random.default_rng(5)
    index = pd.date_range("2020-01-01", periods=800, tz="UTC", name="timestamp")
    names = ["A", "B"][:symbols]
    steps = rng.standard_normal((800, symbols)) * 0.02
    close = pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), index=index, columns=names)
    opens = close.shift(1).fillna(100.0)
    # A forecast that is right a little more often than not.
    ahead = np.roll(steps, -1, axis=0) + rng.standard_normal((800, symbols)) * 0.08
    low = 0 if side == "long_only" else -1
    weights = pd.DataFrame(np.where(ahead > 0, 1, low) / symbols, index=index, columns=names)

    def run(costs: Costs) -> tuple[float, float | None]:
        result = simulate(weights, opens, close, costs=costs, execution=Execution())
        returns = result.returns.to_numpy()
        return np.prod(1 + returns) - 1, trade_metrics.break_even_cost(returns, result.trades)

    gained, cost = run(Costs(fee_bps=4, slippage_bps=3))
    assert gained > 0.1
    assert cost is not None
    left, _ = run(Costs(fee_bps=cost * 10_000, slippage_bps=0))
    # What the approximation leaves is small beside what there was to lose.
    assert abs(left) < 0.02 * gained


def test_the_bars_that_orders_waited_are_summed_and_the_longest_is_found() -> None:
    waits = pd.DataFrame({"symbol": ["A", "B", "A"], "bars": [2, 7, 1]})
    expected = {"orders_waited": 3, "bars_waited": 10, "longest_wait_bars": 7}
    assert trade_metrics.wait_metrics(waits) == expected
    assert set(trade_metrics.wait_metrics(waits.iloc[:0]).values()) == {0}

"""What is due after the last bar of a run, from the tables of its folder."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.backtest.manifest import concat_positions, concat_trades
from engine.evaluation.analysis import open_run
from engine.runs.documents.metrics import BookMetrics
from engine.runs.next_orders import (
    NEXT_ORDER_COLUMNS,
    find_due_timestamps,
    find_next_orders,
)
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import SimulationResult, simulate
from tests.data.exchanges import assemble
from tests.runs.documents import make_manifest
from tests.runs.old_folder import write_old_run

if TYPE_CHECKING:
    from pathlib import Path

COSTS = Costs(fee_bps=10, slippage_bps=5, borrow_bps_per_year=300)
DAILY_CRYPTO = {"name": "made-up", "interval": "1d", "calendar": "24/7"}


def simulated(
    weights: dict[str, list[float]], delay: int, last: str = "2021-02-10"
) -> tuple[pd.DataFrame, SimulationResult]:
    """Bars with the weights decided at them, and their simulation."""
    rows = len(next(iter(weights.values())))
    index = pd.date_range(end=last, periods=rows, tz="UTC", name="timestamp").as_unit("us")
    decided = pd.DataFrame(weights, index=index, dtype="float64")
    moves = np.random.default_rng(3).normal(0, 0.03, decided.shape)
    close = 100 * np.exp(pd.DataFrame(moves, index=index, columns=decided.columns).cumsum())
    execution = Execution(delay=delay)
    return close, simulate(decided, close * 0.99, close, costs=COSTS, execution=execution)


def with_volumes(bars: pd.DataFrame, volume: list[float]) -> pd.DataFrame:
    """The bars with these volumes at each timestamp; they move."""
    stamps = sorted(bars["timestamp"].unique())
    by_bar = bars["timestamp"].map(dict(zip(stamps, volume, strict=True)))
    return bars.assign(high=bars["close"] * 1.01, low=bars["close"] * 0.99, volume=by_bar)


def next_orders(
    weights: dict[str, list[float]],
    delay: int = 1,
    dataset: dict[str, str] | None = None,
    volume: list[float] | None = None,
    **tables: object,
) -> pd.DataFrame:
    close, book = simulated(weights, delay)
    decided = pd.DataFrame(weights, index=close.index, dtype="float64")
    forecasts = [
        pd.DataFrame({"timestamp": close.index, "symbol": s, "seed": seed, "horizon": horizon})
        for s in weights
        for seed in (0, 1)
        for horizon in (1, 2)
    ]
    predictions = pd.concat(forecasts, ignore_index=True)
    predictions["predicted"] = (
        predictions["timestamp"].dt.day + 100 * predictions["horizon"] + predictions["seed"]
    )
    bars = close.melt(ignore_index=False, var_name="symbol", value_name="close").reset_index()
    return find_next_orders(
        make_manifest(
            target=list(weights),
            strategy={"execution": {"delay": delay}},
            dataset=dataset or DAILY_CRYPTO,
        ),
        **{
            "bars": bars if volume is None else with_volumes(bars, volume),
            "predictions": predictions,
            "positions": concat_positions({"strategy": decided, "other": 0 * decided}),
            "returns": pd.DataFrame({"strategy": book.returns}),
            "trades": concat_trades({"other": book, "strategy": book}),
            "metrics": BookMetrics(orders_waited=0, margin_calls=0),
        }
        | tables,
    )


def test_the_decision_at_the_last_close_is_due_at_the_next_bar() -> None:
    orders = next_orders({"A": [0, 0.5, 0.5, 0.5, -1]})
    (order,) = orders.to_dict("records")
    assert tuple(orders.columns) == NEXT_ORDER_COLUMNS
    assert order["decided_on"] == pd.Timestamp("2021-02-10", tz="UTC")
    assert order["due"] == pd.Timestamp("2021-02-11", tz="UTC")
    assert (order["symbol"], order["target_weight"], order["due_in_bars"]) == ("A", -1, 1)
    assert order["predicted"] == 110.5  # of the traded horizon, mean over the seeds


def test_the_forecast_of_an_order_is_the_mean_that_was_decided_on_to_the_last_bit() -> None:
    forecasts = pd.DataFrame({"seed": range(10), "predicted": 0.1, "symbol": "A", "horizon": 1})
    forecasts["timestamp"] = pd.Timestamp("2021-02-10", tz="UTC")
    (predicted,) = next_orders({"A": [0, 0.5]}, predictions=forecasts)["predicted"]
    assert predicted == functools.reduce(operator.add, [0.1] * 10) / 10 != 0.1


def test_no_order_is_due_where_no_target_changed_at_the_last_bar() -> None:
    orders = next_orders({"A": [0, 0.5, 0.5, 1, 1]})
    assert tuple(orders.columns) == NEXT_ORDER_COLUMNS
    assert orders.empty
    filled = next_orders({"A": [0, 0.5, 0.5, 1, 0]})
    assert orders.dtypes.to_dict() == filled.dtypes.to_dict()


def test_a_longer_delay_leaves_several_decisions_pending_the_first_due_first() -> None:
    orders = next_orders({"A": [1, 0, 0.5, 0.5, 1], "B": [0, 0, 0, -0.5, 0]}, delay=3)
    listed = orders[["symbol", "target_weight", "due_in_bars"]].to_numpy().tolist()
    assert listed == [["A", 0.5, 1], ["B", -0.5, 2], ["A", 1.0, 3], ["B", 0.0, 3]]
    assert orders["decided_on"].dt.day.tolist() == [8, 9, 10, 10]
    assert orders["due"].dt.day.tolist() == [11, 12, 13, 13]


def test_an_order_that_waits_for_a_trade_is_due_at_the_next_bar() -> None:
    weights = {"A": [0, 0, 0, 1, 1, 1]}
    (order,) = next_orders(weights, volume=[5, 5, 5, 5, 0, 0]).to_dict("records")
    assert order["decided_on"].day == 8
    assert order["due"].day == 11
    assert (order["target_weight"], order["due_in_bars"], order["waited_bars"]) == (1, 1, 2)
    assert order["predicted"] == 108.5
    assert next_orders(weights, volume=[5] * 6).empty
    assert next_orders(weights, volume=[0] * 6).empty  # the source has no volumes


def test_a_run_of_a_version_that_filled_where_nothing_traded_has_no_order_that_waits() -> None:
    weights = {"A": [0, 0, 0, 1, 1, 1]}
    assert next_orders(weights, volume=[5, 5, 5, 5, 0, 0], metrics=None).empty


@pytest.mark.parametrize("delay", [1, 3])
def test_the_held_weight_is_that_of_the_simulation_at_the_last_close(delay: int) -> None:
    rng = np.random.default_rng(5)
    sides = rng.choice([-0.4, 0.0, 0.5], (60, 2))
    weights = {"A": [*sides[:, 0], 0.1], "B": [*sides[:, 1], 0.2]}
    orders = next_orders(weights, delay).groupby("symbol")["held_weight"].last()
    held = simulated(weights, delay)[1].held_weights.iloc[-1]
    assert orders.to_dict() == pytest.approx(held.to_dict(), rel=1e-12)


def test_nothing_is_held_before_the_first_fill_and_after_an_exit() -> None:
    assert next_orders({"A": [0, 0, 1]})["held_weight"].tolist() == [0.0]
    assert next_orders({"A": [0.3, 0.7, 0, 0, 1]})["held_weight"].tolist() == [0.0]


def test_a_position_far_smaller_than_an_earlier_one_is_held() -> None:
    """Of a symbol whose price rose 1e10-fold the same money buys so many fewer units."""
    fills = {"side": ["buy", "sell", "buy"], "size": [1.0, 1.0, 5e-11], "price": [0.5, 0.5, 1e10]}
    trades = pd.DataFrame({**fills, "book": "strategy", "symbol": "A", "fee": 0.0})
    last = pd.Timestamp("2021-02-10", tz="UTC")
    bars = pd.DataFrame({"timestamp": [last], "symbol": "A", "close": 1e10})
    flat = pd.DataFrame({"strategy": [0.0, 0.0]}, index=[last - pd.Timedelta(1, "D"), last])
    tables = {"trades": trades.assign(timestamp=flat.index[0]), "bars": bars, "returns": flat}
    (held,) = next_orders({"A": [0, 0.5]}, **tables)["held_weight"]
    assert held == pytest.approx(0.5, rel=1e-12)


def margin_called(
    decided: list[float], closes: list[float], volume: list[float] | None = None
) -> list[dict[str, object]]:
    """The next orders of a book with a maintenance margin of a half."""
    index = pd.date_range(end="2021-02-10", periods=len(closes), tz="UTC", name="timestamp")
    close = pd.DataFrame({"A": closes}, index=index.as_unit("us"))
    weights = pd.DataFrame({"A": decided}, index=close.index)
    traded = None if volume is None else pd.DataFrame({"A": volume}, index=close.index) > 0
    execution = Execution(maintenance_margin=0.5)
    book = simulate(weights, close, close, costs=COSTS, execution=execution, traded=traded)
    assert len(book.margin_calls)
    bars = close.melt(ignore_index=False, var_name="symbol", value_name="close").reset_index()
    orders = find_next_orders(
        make_manifest(
            target=["A"],
            strategy={"execution": {"maintenance_margin": 0.5}},
            dataset=DAILY_CRYPTO,
        ),
        bars=bars if volume is None else with_volumes(bars, volume),
        predictions=pd.DataFrame(
            {"timestamp": close.index, "symbol": "A", "seed": 0, "horizon": 1, "predicted": 0.0}
        ),
        positions=concat_positions({"strategy": weights}),
        returns=pd.DataFrame({"strategy": book.returns}),
        trades=concat_trades({"strategy": book}),
        metrics=BookMetrics(orders_waited=0, margin_calls=len(book.margin_calls)),
    )
    return orders[["symbol", "target_weight", "due_in_bars", "waited_bars"]].to_dict("records")


def order_of(target: float, waited: int = 0) -> dict[str, object]:
    return {"symbol": "A", "target_weight": target, "due_in_bars": 1, "waited_bars": waited}


def test_a_margin_call_at_the_last_close_closes_the_position_and_cancels_the_decision() -> None:
    assert margin_called([-1, -1, -1], [10.0, 10.0, 14.0]) == [order_of(0.0)]
    assert margin_called([-1, -1, -0.5], [10.0, 10.0, 14.0]) == [order_of(0.0)]


def test_after_a_margin_call_the_next_change_of_target_is_due() -> None:
    closes = [10.0, 10.0, 14.0, 14.0, 14.0]
    assert margin_called([-1, -1, -1, -1, -1], closes) == []
    assert margin_called([-1, -1, -1, -1, -0.5], closes) == [order_of(-0.5)]


def test_a_margin_call_waits_through_a_halt() -> None:
    closes, volume = [10.0, 10.0, 14.0, 14.0, 14.0], [5.0, 5.0, 5.0, 0.0, 0.0]
    assert margin_called([-1] * 5, closes, volume) == [order_of(0.0, waited=2)]


def test_a_ruined_book_has_no_orders() -> None:
    weights = {"A": [0.0, 0.5, 1.0]}
    ruined = pd.DataFrame({"strategy": [0.0, -1.0, 0.0]})
    assert len(next_orders(weights)) == 1
    assert next_orders(weights, returns=ruined).empty


@pytest.mark.parametrize(
    ("interval", "calendar", "due"),
    [
        ("1d", "24/7", "2021-02-11 00:00"),
        ("1h", "24/7", "2021-02-10 01:00"),
        ("1w", "XNYS", "2021-02-17 00:00"),
        ("1d", "XNYS", "2021-02-11 00:00"),
        ("1h", "XNYS", "2021-02-10 14:30"),
    ],
)
def test_the_bar_of_the_fill_is_that_of_the_calendar(
    interval: str, calendar: str, due: str
) -> None:
    dataset = {"name": "made-up", "interval": interval, "calendar": calendar}
    assert next_orders({"A": [0, 1]}, dataset=dataset)["due"].tolist() == [
        pd.Timestamp(due, tz="UTC")
    ]


def test_weekends_and_holidays_have_no_bars() -> None:
    dataset = {"name": "made-up", "interval": "1d", "calendar": "XNYS"}
    orders = next_orders({"A": [0, *np.linspace(0.1, 1, 4)]}, delay=4, dataset=dataset)
    assert orders["due"].dt.day.tolist() == [11, 12, 16, 17]  # the 15th was Presidents' Day


@pytest.mark.parametrize("dataset", [{"name": "x"}, {**DAILY_CRYPTO, "calendar": "NOWHERE"}])
def test_without_a_known_calendar_the_bar_is_not_dated(dataset: dict[str, str]) -> None:
    orders = next_orders({"A": [0, 1]}, dataset=dataset)
    assert orders["due"].isna().all()
    assert orders["due_in_bars"].tolist() == [1]


def test_a_symbol_without_a_forecast_is_closed_and_has_none() -> None:
    none = pd.DataFrame(columns=["timestamp", "symbol", "seed", "horizon", "predicted"])
    orders = next_orders({"A": [1, 0]}, predictions=none)
    assert orders["predicted"].isna().all()


def test_a_folder_of_the_old_shape_has_its_next_orders(tmp_path: Path) -> None:
    run = open_run(write_old_run(tmp_path / "old"))
    own = run.positions.query("book == 'strategy'").set_index("timestamp")["weight"]
    changed = own.iloc[-1] != own.iloc[-2]
    assert len(run.next_orders) == int(changed)
    assert tuple(run.next_orders.columns) == NEXT_ORDER_COLUMNS


def test_on_several_exchanges_an_order_is_due_at_a_session_of_its_own() -> None:
    """Monday, 20 February 2023, is a holiday in New York."""
    world = assemble({"NY": "XNYS", "COIN": "24/7", "SYDNEY": "XASX"}, panel=True)
    orders = pd.DataFrame({"symbol": ["NY", "COIN", "SYDNEY"], "due_in_bars": [1, 1, 2]})
    sunday = pd.Timestamp("2023-02-19", tz="UTC")
    due = find_due_timestamps(orders, sunday, "1d", "XNYS", world)
    assert due.strftime("%m-%d").tolist() == ["02-21", "02-20", "02-21"]

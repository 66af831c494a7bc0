"""The signal of the newest bar is the last row of a run over the same bars."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.core.errors import DataError, StaleBarsError, UncertifiedError
from engine.data.bars import normalise_bars
from engine.data.store import cache
from engine.data.store.cache import CacheKey
from engine.data.store.vintages import VersionedBars
from engine.strategy import load_strategy
from tests.pipeline.markets import SYMBOLS, bars, market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine import Run, Signal, Strategy

TARGET = SYMBOLS[0]


class Certified:
    """A strategy on a made-up market, with a run of it that passed the leakage test."""

    def __init__(self, folder: Path, model: str, **overrides: object) -> None:
        file = write_strategy(folder, market(folder / "market", edge=0.3), model)
        self.home = folder / "home"
        self.spec: Strategy = load_strategy(file, overrides)
        self.run: Run = engine.run(
            self.spec, home=self.home, out=folder / "out", pages=False, workers=1
        )
        own = self.run.positions.query("book == 'strategy'").set_index("timestamp")
        self.weights: pd.Series = own["weight"]
        forecasts = self.run.predictions.set_index("timestamp")
        self.predicted: pd.Series = forecasts["predicted"]
        self.quantiles = forecasts.filter(regex="^q[0-9]")

    def signal_of(self, day: pd.Timestamp) -> Signal:
        """What is said a minute after a bar ended."""
        as_of = day + pd.Timedelta(days=1, minutes=1)
        return engine.signal(self.spec, as_of=as_of, home=self.home, workers=1)


def make_certified(folder: Path, name: str, model: str, **overrides: object) -> Certified:
    (folder / name).mkdir()
    return Certified(folder / name, model, **overrides)


@pytest.fixture(scope="module")
def ridge(module_folder: Path) -> Certified:
    return make_certified(module_folder, "ridge", "{kind: ridge}")


@pytest.fixture(scope="module")
def boosting(module_folder: Path) -> Certified:
    """Its fits are costly, so that they are stored."""
    model = "{kind: gradient_boosting, trees: 20, lookback: 2}"
    return make_certified(module_folder, "boosting", model)


@pytest.fixture(params=["ridge", pytest.param("boosting", marks=pytest.mark.slow)])
def certified(request: pytest.FixtureRequest) -> Certified:
    return request.getfixturevalue(request.param)


def test_forecast_and_target_are_those_of_the_run_to_the_last_bit(certified: Certified) -> None:
    days = certified.weights.index
    for day in days[[0, 1, 79, 80, len(days) // 2, -1]]:
        (symbol,) = certified.signal_of(day).symbols
        assert symbol.predicted == certified.predicted[day]
        assert symbol.target_weight == certified.weights[day]


def test_an_order_is_the_next_fill_of_the_run(ridge: Certified) -> None:
    fills = ridge.run.trades.query("book == 'strategy'").set_index("timestamp")
    days = ridge.weights.index
    traded = [day for day, later in pairwise(days) if later in fills.index]
    quiet = [day for day, later in pairwise(days) if later not in fills.index]
    for day in traded[:4]:
        (order,) = ridge.signal_of(day).orders
        fill = fills.loc[pd.Timestamp(order.due)]
        assert order.due_in_bars == 1
        assert (order.target_weight > order.held_weight) == (fill["side"] == "buy")
    for day in quiet[:4]:
        assert not ridge.signal_of(day).orders


def test_the_orders_are_those_that_the_run_lists_as_next(certified: Certified) -> None:
    signal = certified.signal_of(certified.weights.index[-1])
    listed = certified.run.next_orders
    assert [order.target_weight for order in signal.orders] == listed["target_weight"].tolist()
    assert [pd.Timestamp(order.due) for order in signal.orders] == listed["due"].tolist()


def test_what_is_held_is_what_the_book_of_the_run_holds(ridge: Certified) -> None:
    """The run tells it of its last bar; where nothing is to be traded it is the drifted weight."""
    entered = ridge.weights.ne(ridge.weights.shift()) & ridge.weights.ne(0)
    day = entered[entered].index[-1]
    (before,) = ridge.signal_of(day).symbols
    (after,) = ridge.signal_of(day + pd.Timedelta(days=1)).symbols
    assert before.target_weight == ridge.weights[day]
    assert before.target_since == day.isoformat()
    assert after.held_weight == pytest.approx(before.target_weight, rel=0.1)
    assert after.held_weight != before.held_weight


def test_later_bars_change_nothing_that_is_said_of_an_earlier_one(ridge: Certified) -> None:
    day = ridge.weights.index[100]
    said = ridge.signal_of(day)
    assert said == ridge.signal_of(day)
    assert pd.Timestamp(said.decided_on) == day
    assert pd.Timestamp(said.models[0].validated_to or day) <= day


def test_the_interval_is_made_of_errors_on_the_validation_rows(ridge: Certified) -> None:
    (symbol,) = ridge.signal_of(ridge.weights.index[-1]).symbols
    assert symbol.levels == (0.05, 0.95)
    assert symbol.low < symbol.predicted < symbol.high
    assert symbol.high - symbol.low == pytest.approx(3.3 * 0.01, rel=0.4)  # 1 % a day


@pytest.mark.slow
def test_a_model_with_quantiles_gives_its_outermost_ones(module_folder: Path) -> None:
    model, loss = "{kind: mlp, lookback: 4, dense: [4]}", {"training.loss": {"kind": "quantile"}}
    certified = make_certified(module_folder, "quantiles", model, **loss)
    day = certified.weights.index[-1]
    (symbol,) = certified.signal_of(day).symbols
    assert symbol.levels == (0.1, 0.9)
    assert [symbol.low, symbol.high] == certified.quantiles.loc[day, ["q10", "q90"]].tolist()


@pytest.mark.slow
def test_nothing_is_trained_that_a_run_has_trained(certified: Certified) -> None:
    days = certified.weights.index
    assert {certified.signal_of(day).trained for day in days[[0, 85, -1]]} == {0}
    models = certified.signal_of(days[-1]).models
    assert all(bool(model.key) == certified.spec.model.costly for model in models)


def test_a_strategy_that_no_run_tested_is_refused(tmp_path: Path) -> None:
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    with pytest.raises(UncertifiedError, match="not been tested") as caught:
        engine.signal(file, as_of=pd.Timestamp("2019-12-02", tz="UTC"), home=tmp_path / "home")
    assert caught.value.exit_code == 4
    assert caught.value.found == "no run of this configuration"


def test_other_costs_are_another_strategy_and_another_name_is_not(ridge: Certified) -> None:
    day = ridge.weights.index[-1] + pd.Timedelta(days=1)
    renamed = ridge.spec.model_copy(update={"name": "renamed"})
    assert engine.signal(renamed, as_of=day, home=ridge.home).strategy == "renamed"
    dearer = ridge.spec.model_copy(
        update={"costs": ridge.spec.costs.model_copy(update={"fee_bps": 50.0})}
    )
    with pytest.raises(UncertifiedError):
        engine.signal(dearer, as_of=day, home=ridge.home)


def test_bars_that_end_long_ago_are_refused(ridge: Certified) -> None:
    with pytest.raises(StaleBarsError) as caught:
        engine.signal(ridge.spec, home=ridge.home)
    assert caught.value.exit_code == 3
    assert "complete bars that are missing" in caught.value.problem
    assert "2019-12-01" in caught.value.found


def test_before_the_first_bar_there_is_nothing_to_say(ridge: Certified) -> None:
    with pytest.raises(DataError, match="no bar was complete"):
        engine.signal(ridge.spec, as_of=pd.Timestamp("2018-01-01", tz="UTC"), home=ridge.home)


MARKET = """
name: made-up
interval: 1d
calendar: 24/7
symbols: [AAA, BBB]
sources: [{kind: ccxt, exchange: bitstamp, symbols: {AAA: AAA/USD, BBB: BBB/USD}}]
"""


def test_a_revised_bar_is_seen_from_its_revision_on(tmp_path: Path, ridge: Certified) -> None:
    """As of an instant the vintage of that time is used, whatever was revised since."""
    (tmp_path / "market.yaml").write_text(MARKET)
    pulled = pd.Timestamp("2019-12-02 00:05", tz="UTC")
    for seed, symbol in enumerate(SYMBOLS):
        key = CacheKey("ccxt bitstamp", f"{symbol}/USD", "1d")
        first = VersionedBars.from_first_fetch(
            normalise_bars(bars(seed, edge=0.3), symbol), None, pulled
        )
        revised = first.bars.copy()
        revised.loc[690:699, "close"] = revised.loc[690:699, ["open", "close"]].mean(axis=1)
        later = first.merge(revised, None, pulled + pd.Timedelta(hours=1))
        cache.write_cache(ridge.home, key, later)
    spec = ridge.spec.model_copy(
        update={
            "data": ridge.spec.data.model_copy(update={"dataset": str(tmp_path / "market.yaml")})
        }
    )

    def said(minutes: int) -> float | None:
        as_of = pulled + pd.Timedelta(minutes=minutes)
        (symbol,) = engine.signal(spec, as_of=as_of, home=ridge.home).symbols
        return symbol.predicted

    last = ridge.weights.index[-1]
    assert said(30) == ridge.predicted[last]
    assert said(90) != ridge.predicted[last]

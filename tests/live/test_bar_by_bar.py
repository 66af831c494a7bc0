"""The newest bar: fitted, predicted, decided and traded as in a run on the same bars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from engine.core.errors import UsageError
from engine.signals import DecisionState
from engine.strategy import load_strategy
from tests.pipeline.markets import SYMBOLS, market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from engine import FittedStrategy, Run, Strategy
    from engine.data import Market

TARGET = SYMBOLS[0]
BOOSTING = "{kind: gradient_boosting, trees: 20, lookback: 2}"
"""Costly, so that its fits are stored, and fast."""

WINDOW = 80
"""Bars of a test part."""


class Desk:
    """A strategy on a made-up market, run as a whole and traded bar by bar."""

    def __init__(self, folder: Path, model: str) -> None:
        file = write_strategy(folder, market(folder / "market", edge=0.3), model)
        self.home = folder / "home"
        self.spec: Strategy = load_strategy(file)
        self.bars: Market = engine.load_market(self.spec, home=self.home)
        self.run: Run = engine.run(
            file, home=self.home, out=folder / "out", pages=False, workers=1
        )
        weights = self.run.positions.query("book == 'strategy'").set_index("timestamp")
        self.weights: pd.Series = weights["weight"]

    def fit(self, day: pd.Timestamp) -> FittedStrategy:
        return engine.fit(self.spec, self.bars.until(day), home=self.home, workers=1)

    def price(self, day: pd.Timestamp) -> engine.BarPrices:
        row = self.bars.bars.query("symbol == @TARGET").set_index("timestamp").loc[day]
        return engine.BarPrices(
            timestamp=day, open={TARGET: row["open"]}, close={TARGET: row["close"]}
        )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("{kind: ridge}", id="ridge"),
        pytest.param(BOOSTING, id="boosting", marks=pytest.mark.slow),
    ],
)
def desk(request: pytest.FixtureRequest, module_folder: Path) -> Desk:
    folder = module_folder / str(request.param_index)
    folder.mkdir()
    return Desk(folder, request.param)


def test_the_forecasts_of_the_newest_bar_are_those_of_the_run_to_the_last_bit(desk: Desk) -> None:
    predicted = desk.run.predictions.set_index("timestamp")["predicted"]
    for day in desk.weights.index[[0, 5, WINDOW - 1, WINDOW, -2, -1]]:
        row = engine.predict(desk.fit(day), desk.bars.until(day))
        assert row.timestamp == day
        assert row.predicted == {TARGET: predicted[day]}


@pytest.mark.slow
def test_traded_bar_by_bar_the_account_is_the_book_of_the_run(desk: Desk) -> None:
    days = desk.weights.index[: WINDOW + 5]
    spec = desk.spec.decision_spec(desk.bars.periods_per_year)
    costs = desk.spec.costs.bind(desk.bars)
    account, state, orders = engine.Account(), DecisionState(), ()
    for day in days:
        account, _ = engine.step(account, desk.price(day), orders, costs)
        row = engine.predict(desk.fit(day), desk.bars.until(day))
        state, targets = engine.decide(state, row, spec)
        orders = engine.place_orders(account.targets, targets, decided_on=day)
        assert targets == {TARGET: desk.weights[day]}
        expected = desk.run.returns["strategy"][day]
        np.testing.assert_allclose(account.bar_return, expected, rtol=1e-9, atol=1e-12)


def test_the_fits_of_the_newest_window_are_in_the_store_of_the_run(desk: Desk) -> None:
    fitted = desk.fit(desk.weights.index[-1])
    assert fitted.trained == 0
    assert fitted.first_test == desk.weights.index[WINDOW * fitted.window]


def test_a_model_of_an_earlier_window_does_not_predict_a_later_bar(desk: Desk) -> None:
    early, late = desk.weights.index[[WINDOW - 1, WINDOW]]
    with pytest.raises(UsageError, match="another window"):
        engine.predict(desk.fit(early), desk.bars.until(late))


@pytest.mark.parametrize("bars_later", [1, WINDOW])
def test_a_history_that_begins_later_is_refused(desk: Desk, bars_later: int) -> None:
    fitted = desk.fit(desk.weights.index[-1])
    bars = desk.bars.bars
    start = bars["timestamp"].unique()[bars_later]
    later = replace(desk.bars, bars=bars[bars["timestamp"] >= start])
    with pytest.raises(UsageError, match="begins at another bar"):
        engine.predict(fitted, later)


def in_reversed_order(market: Market) -> Market:
    bars = market.bars.sort_values(["timestamp", "symbol"], ascending=[True, False])
    return replace(market, bars=bars, symbols=SYMBOLS[::-1])


def test_symbols_in_another_order_are_refused(desk: Desk) -> None:
    spec = desk.spec.model_copy(
        update={"data": desk.spec.data.model_copy(update={"target": TARGET})}
    )
    fitted = engine.fit(spec, desk.bars, home=desk.home, workers=1)
    with pytest.raises(UsageError, match="features are not those of the fit"):
        engine.predict(fitted, in_reversed_order(desk.bars))


@pytest.mark.slow
def test_a_bar_more_trains_nothing_until_a_window_begins(module_folder: Path) -> None:
    folder = module_folder / "nights"
    folder.mkdir()
    desk = Desk(folder, BOOSTING)
    desk.home = folder / "another home"
    days = desk.weights.index[WINDOW - 3 : WINDOW + 3]
    trained = [desk.fit(day).trained for day in days]
    assert trained == [1, 0, 0, 1, 0, 0]


def test_a_strategy_may_be_given_by_its_file(tmp_path: Path) -> None:
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    bars = engine.load_market(file, home=tmp_path)
    fitted = engine.fit(str(file), bars, home=tmp_path)
    assert fitted.spec == load_strategy(file)
    assert engine.predict(fitted, bars).predicted.keys() == {TARGET}


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda _, bars: engine.fit(7, bars), "spec"),
        (lambda file, _: engine.fit(file, file), "market"),
        (lambda file, bars: engine.fit(file, bars.bars), "market"),
        (lambda *_: engine.load_market(None), "spec"),
        (lambda file, bars: engine.predict(engine.fit(file, bars), bars.bars), "market"),
    ],
)
def test_an_argument_of_another_type_is_named(tmp_path: Path, call, where: str) -> None:
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    bars = engine.load_market(file, home=tmp_path)
    with pytest.raises(UsageError, match="of another type") as caught:
        call(file, bars)
    assert caught.value.where == where


def test_a_strategy_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        engine.load_market(tmp_path / "none.yaml")

"""The leak certificate: an honest run has one, and each planted leak is named with its stage."""

from __future__ import annotations

import re
from shutil import copytree
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

import engine
from engine.features import target
from engine.features.base import Indicator
from engine.models import Prediction, Ridge
from engine.signals import orders
from engine.strategy import Strategy, load_strategy
from engine.training import out_of_sample
from tests.leakage.leaks import (
    CentredMean,
    PeekingRidge,
    Remembering,
    leak_of,
    run,
    stage,
)
from tests.pipeline.markets import SYMBOLS, bars, market, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.errors import LookaheadError

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    """Ridge against a rule: fast, and with every stage there is but coarser bars."""
    overrides = {"evaluation.resamples": 200, "benchmarks": [{"kind": "ma_crossover"}]}
    return load_strategy(
        write_strategy(module_folder, market(module_folder / "market")), overrides
    )


def days_too_early(error: LookaheadError) -> int:
    """From the bar that knew to the cut, whose later bars it knew."""
    knew, cut = (
        pd.Timestamp(re.search(r"\d{4}-\d\d-\d\d", text).group())
        for text in (error.where, error.problem)
    )
    return (cut - knew).days


@pytest.fixture(scope="module")
def honest_run(strategy: Strategy, module_folder: Path) -> engine.Run:
    return run(strategy, module_folder)


def test_an_honest_run_tells_where_it_was_probed_and_what_was_equal(honest_run) -> None:
    made = honest_run.certificate
    assert made["result"] == "passed"
    assert len(made["cuts"]) >= 8
    kinds = {cut["kind"] for cut in made["cuts"]}
    assert {"window start", "inside a window", "window end"} <= kinds
    assert {cut["fills_probed_with"] for cut in made["cuts"]} == {"open"}
    assert {"features", "labels", "predictions", "positions", "fills"} <= set(made["compared"])
    assert all(count["values"] > 0 for count in made["compared"].values())


def test_a_folder_from_before_there_were_certificates_still_opens(honest_run, tmp_path) -> None:
    assert engine.Run.open(honest_run.run_dir).certificate == honest_run.certificate
    older = copytree(honest_run.run_dir, tmp_path / "older")
    (older / "certificate.json").unlink()
    assert engine.Run.open(older).certificate is None


def test_a_centred_rolling_mean(strategy, module_folder) -> None:
    error = leak_of(strategy, module_folder, features=(CentredMean(),))
    assert stage(error) == "features"
    assert "AAA:centred_mean" in error.where
    assert days_too_early(error) == 1  # of the two days to come the nearer one is in it as well


class FutureBar(Indicator):
    """The next bar's return, and the last one carried forward to where there is none."""

    kind: Literal["future_bar"] = "future_bar"

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        return bars["close"].pct_change().shift(-1).ffill()


def test_a_future_bar_filled_forward(strategy, module_folder) -> None:
    error = leak_of(strategy, module_folder, features=(FutureBar(),))
    assert stage(error) == "features"
    assert days_too_early(error) == 0


class FilledFromBehind(Indicator):
    """The return of a close that is taken from the next bar where nothing was traded."""

    kind: Literal["filled_from_behind"] = "filled_from_behind"

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        close = bars["close"].where(bars["volume"] > 0).bfill().ffill()
        return close.pct_change()


def test_a_bar_filled_from_behind_where_nothing_was_traded(strategy, module_folder) -> None:
    """Two bars of 700 know one more than they may."""
    tables = {symbol: bars(seed) for seed, symbol in enumerate(SYMBOLS)}
    tables["AAA"].loc[[200, 507], "volume"] = 0
    data = write_market(module_folder / "gaps", tables)
    gappy = strategy.model_copy(
        update={"data": strategy.data.model_copy(update={"dataset": str(data)})}
    )
    error = leak_of(gappy, module_folder, features=(FilledFromBehind(),))
    assert stage(error) == "features"
    dates = [str(tables["AAA"]["timestamp"][row].date()) for row in (200, 507)]
    assert any(date in error.where for date in dates)


def test_scaling_by_the_full_sample(strategy, module_folder, monkeypatch) -> None:
    def fitted_on_all(chosen, values, _):
        return chosen.fit(values[~np.isnan(values).any(axis=1)])

    monkeypatch.setattr("engine.training.datasets.fit_scaler", fitted_on_all)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "scaled inputs"
    assert "log_return_1 in window" in error.where


def test_a_label_that_ends_a_bar_late(strategy, module_folder, monkeypatch) -> None:
    honest = target.forward_returns

    def late(close, horizon):
        return honest(close, horizon + 1)

    monkeypatch.setattr("engine.pipeline.feature_history.forward_returns", late)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "labels"
    assert days_too_early(error) == 1  # a label over one bar may end with the cut, and no later


def test_a_threshold_taken_from_test_predictions(strategy, module_folder, monkeypatch) -> None:
    honest = out_of_sample.average_by_window

    def of_test_rows(fitted, horizon, part):
        return honest(fitted, horizon, "test" if part == "train" else part)

    monkeypatch.setattr("engine.training.out_of_sample.average_by_window", of_test_rows)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "thresholds"
    assert error.where.startswith("thresholds: strategy AAA window")


def test_a_fill_at_the_open_of_the_bar_whose_close_decided_it(
    strategy, module_folder, monkeypatch
) -> None:
    honest = orders.schedule_orders

    def early(weights, delay, lags=None):
        return honest(weights, delay, lags).shift(-1)

    monkeypatch.setattr("engine.simulation.portfolio.schedule_orders", early)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"
    assert days_too_early(error) == 0


def test_a_fill_at_a_price_from_before_the_decision(strategy, module_folder, monkeypatch) -> None:
    from engine.pipeline import steps

    honest = steps.simulate_all

    def stale(books, opens, closes, **terms):
        return honest(books, opens.shift(1).bfill(), closes, **terms)

    monkeypatch.setattr("engine.pipeline.steps.simulate_all", stale)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"
    assert "own bar's price" in error.problem


def test_a_fit_that_reads_bars_beside_its_arrays(strategy, module_folder) -> None:
    """No array of a fit reaches into the test part; what else it reads, a refit shows."""
    features = (*strategy.features, Remembering())
    honest = run(strategy, module_folder, features=features, name="remembering")
    assert honest.certificate["fits_refitted"] == 0
    error = leak_of(strategy, module_folder, features=features, model=PeekingRidge())
    assert stage(error) == "predictions"
    assert "strategy AAA window" in error.where
    assert "train rows" in error.where


honest_predict = Ridge.predict


def next_row(model, fitted, inputs, rows) -> Prediction:
    return honest_predict(model, fitted, inputs, np.minimum(rows + 1, len(inputs.inputs) - 1))


class AheadRidge(Ridge):
    """A user's model that predicts with the inputs of the next row."""

    kind: Literal["ahead_ridge"] = "ahead_ridge"

    def predict(self, fitted, inputs, rows) -> Prediction:
        return next_row(self, fitted, inputs, rows)


def test_a_users_prediction_that_reads_later_rows(strategy, module_folder) -> None:
    error = leak_of(strategy, module_folder, model=AheadRidge())
    assert stage(error) == "predictions"
    assert "test rows" in error.where


def test_an_opponent_that_knows_tomorrow(strategy, module_folder, monkeypatch) -> None:
    from engine.signals.benchmarks import MovingAverageCrossover

    honest = MovingAverageCrossover.compute_positions
    monkeypatch.setattr(
        MovingAverageCrossover,
        "compute_positions",
        lambda rule, close: honest(rule, close.shift(-1).ffill()),
    )
    error = leak_of(strategy, module_folder)
    assert stage(error) == "positions"
    assert "ma_crossover" in error.where

"""The leak certificate: an honest run has one, and each planted leak is named with its stage."""

from __future__ import annotations

import re
from dataclasses import replace
from shutil import copytree
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

import engine
from engine.features import target
from engine.features.base import Indicator
from engine.models import Prediction, Ridge
from engine.models.fitted_model import CoarseRows, FeatureRows, InputTransform
from engine.signals import orders, target_weights
from engine.splits.walk_forward import WalkForwardWindow, make_walk_forward_windows
from engine.strategy import Strategy, load_strategy
from engine.training import datasets, out_of_sample
from tests.leakage.leaks import (
    CentredMean,
    PeekingRidge,
    Remembering,
    leak_of,
    run,
    stage,
    weeks_one_bar_early,
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
    assert {cut["fills_probed_with"] for cut in made["cuts"]} == {"open", "close"}
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
    """Two bars of 700 know one more than they may: a cut at a bar without volume sees it."""
    tables = {symbol: bars(seed) for seed, symbol in enumerate(SYMBOLS)}
    tables["AAA"].loc[[200, 507], "volume"] = 0
    data = write_market(module_folder / "gaps", tables)
    gappy = strategy.model_copy(
        update={"data": strategy.data.model_copy(update={"dataset": str(data)})}
    )
    error = leak_of(gappy, module_folder, features=(FilledFromBehind(),))
    assert stage(error) == "features"
    assert str(tables["AAA"]["timestamp"][507].date()) in error.where


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

    monkeypatch.setattr("engine.pipeline.prepare.forward_returns", late)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "labels"
    assert days_too_early(error) == 1  # a label over one bar may end with the cut, and no later


def test_labels_of_rows_behind_the_validation_part(strategy, module_folder, monkeypatch) -> None:
    """The last validation row learns from a return that ends in the test part."""
    honest = datasets.target_returns

    def further(history, symbol, rows, horizons):
        return honest(history, symbol, slice(rows.start + 1, rows.stop + 1), horizons)

    monkeypatch.setattr("engine.training.datasets.target_returns", further)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "labels"
    assert "in window" in error.where


def test_a_coarser_bar_used_one_bar_early(strategy, module_folder, monkeypatch) -> None:
    monkeypatch.setattr("engine.pipeline.prepare.build_coarse_features", weeks_one_bar_early)
    error = leak_of(strategy, module_folder, resolutions=("1w",))
    assert stage(error) == "resolutions"
    assert "1w" in error.where


def test_a_threshold_taken_from_test_predictions(strategy, module_folder, monkeypatch) -> None:
    honest = out_of_sample.average_by_window

    def of_test_rows(fitted, horizon, part):
        return honest(fitted, horizon, "test" if part == "train" else part)

    monkeypatch.setattr("engine.training.out_of_sample.average_by_window", of_test_rows)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "thresholds"
    assert error.where.startswith("thresholds: strategy AAA window")


def test_a_decision_that_waits_for_the_largest_forecast_to_come(
    strategy, module_folder, monkeypatch
) -> None:
    honest = target_weights.apply_hysteresis

    def patient(values, *thresholds):
        return honest(values - values.max(), *thresholds)

    monkeypatch.setattr("engine.signals.target_weights.apply_hysteresis", patient)
    assert stage(leak_of(strategy, module_folder)) == "positions"


def test_a_position_decided_by_the_next_bars_forecast(
    strategy, module_folder, monkeypatch
) -> None:
    honest = target_weights.apply_hysteresis

    def early(values, *thresholds):
        return honest(np.append(values[1:], values[-1]), *thresholds)

    monkeypatch.setattr("engine.signals.target_weights.apply_hysteresis", early)
    assert stage(leak_of(strategy, module_folder)) == "positions"


def test_a_fill_at_the_open_of_the_bar_whose_close_decided_it(
    strategy, module_folder, monkeypatch
) -> None:
    honest = orders.schedule_orders

    def early(weights, delay):
        return honest(weights, delay).shift(-1)

    monkeypatch.setattr("engine.simulation.portfolio.schedule_orders", early)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"
    assert days_too_early(error) == 0


def test_an_order_sized_by_the_close_of_the_bar_that_fills_it(
    strategy, module_folder, monkeypatch
) -> None:
    from engine.pipeline import steps

    honest = steps.simulate_all

    def sized_late(books, opens, closes, **terms):
        moved = (closes / opens).shift(-1, fill_value=1.0)
        late = {book: weights * moved[weights.columns] for book, weights in books.items()}
        return honest(late, opens, closes, **terms)

    monkeypatch.setattr("engine.pipeline.steps.simulate_all", sized_late)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "fills"


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


def against_the_mean(model, fitted, inputs, rows) -> Prediction:
    returns = honest_predict(model, fitted, inputs, rows).returns
    return Prediction(returns - returns.mean())


@pytest.mark.parametrize("leaking", [next_row, against_the_mean])
def test_a_prediction_that_reads_later_rows(strategy, module_folder, monkeypatch, leaking) -> None:
    monkeypatch.setattr(Ridge, "predict", leaking)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "predictions"
    assert "test rows" in error.where


class AheadRidge(Ridge):
    """A user's model that predicts with the inputs of the next row."""

    kind: Literal["ahead_ridge"] = "ahead_ridge"

    def predict(self, fitted, inputs, rows) -> Prediction:
        return next_row(self, fitted, inputs, rows)


def test_a_users_prediction_that_reads_later_rows(strategy, module_folder) -> None:
    error = leak_of(strategy, module_folder, model=AheadRidge())
    assert stage(error) == "predictions"
    assert "test rows" in error.where


def test_scaling_by_the_rows_that_are_predicted(strategy, module_folder, monkeypatch) -> None:
    honest = InputTransform.apply

    def centred(transform, rows):
        made = honest(transform, rows)
        return replace(made, inputs=made.inputs - made.inputs.mean(axis=0))

    monkeypatch.setattr(InputTransform, "apply", centred)
    error = leak_of(strategy, module_folder)
    assert stage(error) == "predictions"
    assert "test rows" in error.where


def a_bar_late(rows: FeatureRows) -> FeatureRows:
    return replace(rows, features=np.vstack([rows.features[1:], rows.features[-1:]]))


def a_week_early(rows: FeatureRows) -> FeatureRows:
    (weeks,) = rows.coarse
    return replace(
        rows, coarse=(CoarseRows(weeks.features, np.append(weeks.latest[1:], weeks.latest[-1])),)
    )


@pytest.mark.parametrize("leaking", [a_bar_late, a_week_early])
def test_features_of_later_bars_where_a_model_predicts(
    strategy, module_folder, monkeypatch, leaking
) -> None:
    honest = datasets.select_feature_rows

    def selected(*given):
        rows, at = honest(*given)
        return leaking(rows), at

    monkeypatch.setattr("engine.training.forecast.select_feature_rows", selected)
    error = leak_of(strategy, module_folder, resolutions=("1w",))
    assert stage(error) == "predictions"
    assert "test rows" in error.where


def without_purge(window: WalkForwardWindow) -> WalkForwardWindow:
    """Its last validation row is the one before the first test bar."""
    return replace(window, validation=range(window.validation.start, window.test.start))


def into_the_test_part(window: WalkForwardWindow) -> WalkForwardWindow:
    return replace(window, validation=range(window.validation.start, window.test.start + 1))


@pytest.mark.parametrize(
    ("leaking", "found_in"), [(without_purge, "labels"), (into_the_test_part, "scaled inputs")]
)
def test_training_rows_that_reach_into_the_test_part(
    strategy, module_folder, monkeypatch, leaking, found_in
) -> None:
    def made(*given, **more):
        return tuple(map(leaking, make_walk_forward_windows(*given, **more)))

    monkeypatch.setattr("engine.pipeline.prepare.make_walk_forward_windows", made)
    error = leak_of(strategy, module_folder)
    assert stage(error) == found_in
    assert "in window" in error.where


def test_windows_that_depend_on_later_bars(strategy, module_folder, monkeypatch) -> None:
    """The last one ends a bar earlier where the last close has an odd digit."""
    closes = {}

    def remembered(close, horizon):
        closes["last"] = close.iloc[-1, 0]
        return target.forward_returns(close, horizon)

    def made(*given, **more):
        *windows, last = make_walk_forward_windows(*given, **more)
        odd = int(1e6 * closes["last"]) % 2
        return (*windows, replace(last, test=range(last.test.start, last.test.stop - odd)))

    monkeypatch.setattr("engine.pipeline.prepare.forward_returns", remembered)
    monkeypatch.setattr("engine.pipeline.prepare.make_walk_forward_windows", made)
    assert stage(leak_of(strategy, module_folder)) == "windows"


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

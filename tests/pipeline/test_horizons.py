"""A run over several horizons, from the file to the report, and positions sized by intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
import pytest

import engine
from engine.features.config import TargetSpec
from engine.models import (
    FittedForecaster,
    Forecaster,
    Prediction,
    QuantileLoss,
    Ridge,
    TrainingSpec,
)
from engine.reporting.tearsheet import render_tearsheet
from engine.signals.config import IntervalSizing
from engine.strategy import Strategy, load_strategy
from tests.pipeline.markets import BARS, changed_after, market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import IntVector
    from engine.models import ModelInputs, TrainingSet

# The joint forecaster is no member of the union that the strategy is written down with.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

DIRECT = {"target.horizons": [1, 5]}
JOINT = TargetSpec(horizon=5, horizons=(1, 5), strategy="multi_output")
QUANTILES = TrainingSpec(loss=QuantileLoss(levels=(0.1, 0.5, 0.9)))


class JointRidge(Forecaster):
    """A ridge a horizon as one fit; its quantiles are those of its errors on the train rows."""

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 5
    multi_output: ClassVar[bool] = True

    kind: Literal["joint_ridge"] = "joint_ridge"

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        each = tuple(
            Ridge(lookback=5).fit(replace(training_set, target=column), training, seed)
            for column in training_set.target.T
        )
        predicted = predict_each(each, training_set, training_set.train)
        errors = training_set.target[training_set.train] - predicted
        spread = np.quantile(errors, training.loss.levels, axis=0).T
        return FittedForecaster(self, weights=(spread,), members=each)

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        returns = predict_each(fitted.members, inputs, rows)
        return Prediction(returns, returns[:, :, None] + fitted.weights[0])


def predict_each(
    members: tuple[FittedForecaster, ...], inputs: ModelInputs, rows: IntVector
) -> np.ndarray:
    return np.column_stack([member.predict(inputs, rows).returns for member in members])


@pytest.fixture(scope="module")
def file(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


@pytest.fixture(scope="module")
def direct(module_folder: Path, file: Path) -> engine.Run:
    return engine.run(
        file,
        overrides=DIRECT,
        out=module_folder / "direct",
        home=module_folder / "home",
        pages=False,
    )


@pytest.fixture(scope="module")
def joint(file: Path) -> Strategy:
    changes = {
        "model": JointRidge(),
        "training": QUANTILES,
        "sizing": IntervalSizing(full_ratio=0.02),
    }
    return load_strategy(file).model_copy(update=changes | {"target": JOINT, "name": "joint"})


@pytest.fixture(scope="module")
def sized(module_folder: Path, joint: Strategy) -> engine.Run:
    return engine.run(joint, out=module_folder / "sized", home=module_folder / "home", pages=False)


def test_the_table_holds_what_was_forecast_and_what_came_over_each_horizon(direct) -> None:
    table = direct.predictions
    close = direct.bars.query("symbol == 'AAA'").set_index("timestamp")["close"]
    assert table["horizon"].unique().tolist() == [1, 5]
    for horizon, block in table.groupby("horizon"):
        ahead = (close.shift(-horizon) / close - 1).loc[direct.returns.index]
        assert list(block["timestamp"]) == list(direct.returns.index)
        np.testing.assert_allclose(block["actual"], ahead, rtol=1e-12)
        assert block["actual"].isna().sum() == horizon
        assert np.isfinite(block["predicted"]).all()
    again = engine.Run.open(direct.run_dir).predictions
    pd.testing.assert_frame_equal(again, table)


def test_the_parts_of_a_window_lie_as_far_apart_as_the_longest_horizon(direct) -> None:
    bars = direct.bars["timestamp"].unique()
    row = {stamp.isoformat(): place for place, stamp in enumerate(bars)}
    for window in direct.manifest["windows"]:
        for part, following in (("train", "validation"), ("validation", "test")):
            assert row[window[following][0]] - row[window[part][1]] == 1 + 5
        assert [fit["horizons"] for fit in window["fits"]] == [[1], [5]]


@pytest.mark.slow
def test_signals_trade_the_chosen_horizon(module_folder, file, direct) -> None:
    slower = engine.run(
        file,
        overrides=DIRECT | {"target.horizon": 5},
        out=module_folder / "slower",
        home=module_folder / "home",
        pages=False,
    )
    pd.testing.assert_frame_equal(slower.predictions, direct.predictions)
    assert direct.horizon == 1
    assert slower.horizon == 5
    assert not slower.returns["strategy"].equals(direct.returns["strategy"])
    assert not slower.returns["ridge"].equals(direct.returns["ridge"])
    for run in (direct, slower):
        by_horizon = run.metrics["forecasts"]["strategy"]["horizons"]
        traded = run.metrics["forecasts"]["strategy"]
        assert list(by_horizon) == ["1", "5"]
        assert {key: traded[key] for key in by_horizon["1"]} == by_horizon[str(run.horizon)]
        assert "horizons" not in run.metrics["forecasts"]["ridge"]
    # The strategy's model is the same ridge as its opponent.
    mine, rival = (direct.metrics["forecasts"][book] for book in ("strategy", "ridge"))
    assert {key: mine[key] for key in rival} == rival


@pytest.mark.slow
def test_the_report_tells_every_horizon_where_there_are_several(
    module_folder, file, direct
) -> None:
    alone = engine.run(
        file,
        overrides={"target.horizons": [1]},
        out=module_folder / "alone",
        home=module_folder / "home",
        pages=False,
    )
    assert "horizons" not in alone.metrics["forecasts"]["strategy"]
    assert "By horizon" in render_tearsheet(direct)
    assert "By horizon" not in render_tearsheet(alone)


@pytest.mark.slow
def test_one_joint_fit_gives_the_forecasts_of_fits_apart(module_folder, joint, sized) -> None:
    apart = joint.model_copy(
        update={
            "model": Ridge(lookback=5),
            "target": JOINT.model_copy(update={"strategy": "direct"}),
        }
    )
    run = engine.run(apart, out=module_folder / "apart", home=module_folder / "home", pages=False)
    pd.testing.assert_frame_equal(run.predictions, sized.predictions[run.predictions.columns])


@pytest.mark.slow
def test_quantiles_are_written_scored_and_told(sized) -> None:
    table = sized.predictions
    assert list(table.columns[-3:]) == ["q10", "q50", "q90"]
    assert (table["q10"] < table["q90"]).all()
    scores = sized.metrics["forecasts"]["strategy"]
    (interval,) = scores["intervals"]
    known = table.query("horizon == 5").dropna()
    held = (known["q10"] <= known["actual"]) & (known["actual"] <= known["q90"])
    assert interval["coverage_pct"] == pytest.approx(100 * held.mean())
    assert interval["nominal_pct"] == 80.0
    assert set(scores["horizons"]["1"]) >= {"pinball_bps", "intervals"}
    assert "intervals" not in sized.metrics["forecasts"]["ridge"]
    assert "80\N{NO-BREAK SPACE}% forecast interval" in render_tearsheet(sized)


def test_quantiles_are_measured_against_those_of_the_train_rows(sized) -> None:
    close = sized.bars.query("symbol == 'AAA'").set_index("timestamp")["close"]
    ahead = close.shift(-5) / close - 1
    losses = []
    for window in sized.manifest["windows"]:
        train, test = (ahead[first:last] for first, last in (window["train"], window["test"]))
        for level in (0.1, 0.5, 0.9):
            error = test.dropna() - np.quantile(train, level)
            losses += np.where(error > 0, level * error, (level - 1) * error).tolist()
    scores = sized.metrics["forecasts"]["strategy"]
    assert scores["unconditional_pinball_bps"] == pytest.approx(10_000 * np.mean(losses))


def test_every_model_is_sized_by_its_interval_and_rules_are_not(sized) -> None:
    table = sized.predictions.query("horizon == 5").set_index("timestamp")
    size = (table["predicted"].abs() / (table["q90"] - table["q10"]) / 0.02).clip(upper=1)
    weights = sized.positions.set_index("timestamp").groupby("book")["weight"]
    mine, rival = weights.get_group("strategy"), weights.get_group("ridge")
    entered = (np.sign(mine) != np.sign(mine.shift(fill_value=0.0))) & (mine != 0)
    assert entered.sum() > 5
    np.testing.assert_allclose(mine[entered].abs(), size[entered], rtol=1e-9)
    # A ridge without quantiles is sized too: by its errors on the validation rows.
    assert rival[rival != 0].abs().nunique() > 5
    assert weights.get_group("buy_and_hold").unique().tolist() == [1.0]


@pytest.mark.slow
@pytest.mark.parametrize("cut", [444, BARS - 20])
def test_nothing_at_or_before_a_bar_knows_what_comes_after(
    module_folder, joint, sized, cut
) -> None:
    other = engine.run(
        joint,
        data=str(changed_after(module_folder / f"bars{cut}", cut)),
        out=module_folder / f"cut{cut}",
        home=module_folder / "home",
        pages=False,
    )
    last = sized.bars["timestamp"].unique()[cut]
    for name in ("predictions", "positions", "trades"):
        one, two = (
            table[table["timestamp"] <= last].drop(columns="actual", errors="ignore")
            for table in (getattr(sized, name), getattr(other, name))
        )
        pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
        assert len(one) < len(getattr(sized, name))
    assert not other.predictions.equals(sized.predictions)


@pytest.mark.slow
def test_a_network_forecasts_horizons_and_intervals(module_folder, file) -> None:
    network = {
        "model": {"kind": "mlp", "lookback": 4, "dense": [8]},
        "training": {"epochs": 2, "loss": {"kind": "quantile"}},
        "sizing": {"kind": "interval", "full_ratio": 0.05},
        "target": {"horizons": [1, 5]},
        "seeds": 2,
        "windows.test": 300,
        "compute.backend": "jax",
    }
    run = engine.run(
        file,
        overrides=network,
        out=module_folder / "network",
        home=module_folder / "home",
        workers=1,
        pages=False,
    )
    table = run.predictions
    assert len(table) == 2 * 2 * len(run.returns)
    assert (table["q10"] <= table["q50"]).all()
    np.testing.assert_allclose(table["q50"], table["predicted"], rtol=1e-12)
    assert [fit["horizons"] for fit in run.manifest["windows"][0]["fits"]] == [[1], [1], [5], [5]]
    again = engine.run(
        file,
        overrides=network,
        out=module_folder / "again",
        home=module_folder / "home",
        workers=1,
        pages=False,
    )
    assert again.manifest["fits"]["trained"] == 0
    pd.testing.assert_frame_equal(again.predictions, table)

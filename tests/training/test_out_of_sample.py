"""Out-of-sample tables: test parts in order; a fit left out gives NaN, not zero."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError, UsageError
from engine.features.config import TargetSpec
from engine.models import (
    FittedForecaster,
    Forecaster,
    Lstm,
    Micdl,
    Persistence,
    QuantileLoss,
    Ridge,
    TrainingHistory,
    TrainingSpec,
)
from engine.models.fitted_model import FittedModel
from engine.splits.scaling import RollingZscoreScaling, ScalingSpec, StandardScaling
from engine.splits.walk_forward import WalkForwardWindow
from engine.training.datasets import build_training_set
from engine.training.forecast import Forecast, predict_window
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import Predictions, concat_out_of_sample
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.training.histories import STAMPS, WINDOWS, ahead, history_of

if TYPE_CHECKING:
    from engine.training.feature_history import FeatureHistory


@pytest.fixture
def history() -> FeatureHistory:
    return history_of()


def tasks_of(history: FeatureHistory, seeds: int) -> list[FitTask]:
    return [
        FitTask(
            *("strategy", "X", window.index, member, 0, Persistence(), TrainingSpec()),
            build_training_set(history, "X", window, 1)[0],
        )
        for window in WINDOWS
        for member in range(seeds)
    ]


def forecast(task: FitTask, value: float | np.ndarray | None = None, **course) -> Forecast:
    """The same value on every row: 10 x window + seed unless it is given, one a horizon."""
    given = 10.0 * task.window + task.seed_index if value is None else value
    train, validation, test = (
        np.tile(given, (rows, 1) if np.ndim(given) else rows)
        for rows in (
            len(task.training_set.train),
            len(task.training_set.validation),
            len(WINDOWS[task.window].test),
        )
    )
    fitted = FittedForecaster(task.model, **course)
    return Forecast(
        train, validation, test, None, FittedModel(fitted, train, validation, np.empty((0, 1)))
    )


def test_the_forecast_is_the_mean_over_the_seeds_window_by_window(history) -> None:
    tasks = tasks_of(history, seeds=2)
    predictions = concat_out_of_sample(history, WINDOWS, tasks, [forecast(task) for task in tasks])
    assert predictions.predicted.index.equals(STAMPS[21:])
    assert predictions.predicted["X"].tolist() == [0.5] * 9 + [10.5] * 10
    assert predictions.window_index.tolist() == [0] * 9 + [1] * 10
    assert predictions.train_predictions[1]["X"].tolist() == [10.5] * 10
    assert len(predictions.table) == 2 * 19


def test_a_seed_that_was_left_out_has_no_weight(history) -> None:
    tasks = tasks_of(history, seeds=2)
    outcomes = [forecast(task) for task in tasks]
    outcomes[3] = TrainingError("the loss is not a number")
    predictions = concat_out_of_sample(history, WINDOWS, tasks, outcomes)
    assert predictions.predicted["X"].tolist() == [0.5] * 9 + [10.0] * 10
    assert predictions.train_predictions[1]["X"].tolist() == [10.0] * 10
    assert len(predictions.table) == 2 * 9 + 10
    assert predictions.fit_records[1][1] == {
        "symbol": "X",
        "seed": 1,
        "failed": "the loss is not a number",
    }


def test_a_fit_record_has_warm_only_with_warm_starts(history) -> None:
    cold = tasks_of(history, seeds=1)
    training = TrainingSpec(warm_start="previous_window")
    warm = [replace(task, model=Micdl(), training=training) for task in cold]
    outcomes = [
        forecast(task, history=TrainingHistory((1.0,), (1.0,), warm=bool(task.window)))
        for task in cold
    ]
    records = [
        concat_out_of_sample(history, WINDOWS, tasks, outcomes).fit_records
        for tasks in (cold, warm)
    ]
    assert [fits[window][0].get("warm") for fits in records for window in (0, 1)] == [
        *(None, None, False, True)
    ]


def test_a_fit_record_has_the_key_of_a_stored_fit(history) -> None:
    tasks = tasks_of(history, seeds=2)
    outcomes = [*(forecast(task) for task in tasks[:3]), TrainingError("dead")]
    records = concat_out_of_sample(
        history, WINDOWS, tasks, outcomes, ["a", None, "b", "c"]
    ).fit_records
    assert [fit.get("key") for window in (0, 1) for fit in records[window]] == [
        "a",
        None,
        "b",
        None,
    ]


def test_the_fit_record_of_an_ensemble_has_each_members_losses(history) -> None:
    tasks = tasks_of(history, seeds=1)
    member = FittedForecaster(Lstm(), history=TrainingHistory((3.0, 2.0), (4.0, 5.0), 0))
    whole = forecast(tasks[0], members=(member, replace(member, members=(member,))))
    (records,) = concat_out_of_sample(
        history, WINDOWS, tasks, [whole, forecast(tasks[1])]
    ).fit_records[0]
    curves = {
        "epochs": 2,
        "best_epoch": 0,
        "train_loss": [3.0, 2.0],
        "validation_loss": [4.0, 5.0],
    }
    assert records["members"] == [curves, curves | {"members": [curves]}]
    assert records["epochs"] == 0


def test_a_window_without_a_fit_is_nan_and_not_zero(history) -> None:
    tasks = tasks_of(history, seeds=1)
    predictions = concat_out_of_sample(
        history, WINDOWS, tasks, [TrainingError("dead"), forecast(tasks[1])]
    )
    assert predictions.predicted["X"].isna().tolist() == [True] * 9 + [False] * 10
    assert list(predictions.train_predictions) == [1]
    assert predictions.table["window"].unique().tolist() == [1]


SEVERAL = TargetSpec(horizon=2, horizons=(1, 2, 3))
JOINT = TargetSpec(horizon=2, horizons=(1, 2, 3), strategy="multi_output")


def over_horizons(target: TargetSpec, *, seeds: int = 1, failed: tuple[int, ...] = ()):
    """Tasks of a network, each forecasting 100 x horizon + 10 x window + seed everywhere."""
    tasks = make_fit_tasks(
        {"strategy": Lstm(lookback=2)},
        history_of(target),
        WINDOWS,
        ["X"],
        training=TrainingSpec(),
        seeds=seeds,
        seed=1,
    )

    def forecast_of(task: FitTask) -> Forecast:
        horizons = np.array(task.training_set.horizons, dtype=float)
        values = 100 * horizons + 10 * task.window + task.seed_index
        return forecast(task, values[0] if len(values) == 1 else values)

    outcomes = [
        TrainingError("dead") if index in failed else forecast_of(task)
        for index, task in enumerate(tasks)
    ]
    return tasks, outcomes


def predictions_for(target: TargetSpec, **more) -> Predictions:
    return concat_out_of_sample(history_of(target), WINDOWS, *over_horizons(target, **more))


@pytest.mark.parametrize("target", [SEVERAL, JOINT], ids=["direct", "multi_output"])
def test_the_table_has_every_horizon(target) -> None:
    table = predictions_for(target, seeds=2).table
    blocks = table.groupby(["horizon", "seed"], sort=False)
    assert list(blocks.groups) == [(h, seed) for h in (1, 2, 3) for seed in (0, 1)]
    for (horizon, seed), block in blocks:
        assert block["timestamp"].tolist() == STAMPS[21:].tolist()
        first = 100 * horizon + seed
        assert block["predicted"].tolist() == [first] * 9 + [first + 10] * 10
        np.testing.assert_allclose(block["actual"], ahead(horizon, range(21, 40)), rtol=1e-12)
    assert list(table.columns) == [
        *("timestamp", "symbol", "window", "seed", "horizon", "predicted", "actual")
    ]


@pytest.mark.parametrize("target", [SEVERAL, JOINT], ids=["direct", "multi_output"])
def test_signals_and_thresholds_get_the_traded_horizon(target) -> None:
    predictions = predictions_for(target, seeds=2)
    assert predictions.horizon == 2
    assert predictions.predicted["X"].tolist() == [200.5] * 9 + [210.5] * 10
    assert predictions.train_predictions[1]["X"].tolist() == [210.5] * 10
    assert list(predictions.by_horizon) == [1, 2, 3]
    assert predictions.by_horizon[3].predicted["X"].tolist() == [300.5] * 9 + [310.5] * 10


def test_residuals_are_those_of_the_validation_rows_over_the_traded_horizon() -> None:
    predictions = predictions_for(JOINT, seeds=2)
    np.testing.assert_allclose(
        predictions.validation_residuals[0]["X"], ahead(2, range(16, 20)) - 200.5
    )
    np.testing.assert_allclose(
        predictions.validation_residuals[1]["X"], ahead(2, range(25, 29)) - 210.5
    )


def test_a_fit_left_out_removes_only_its_own_horizon() -> None:
    predictions = predictions_for(SEVERAL, failed=(4,))  # window 1, horizon 2
    assert predictions.predicted["X"].isna().tolist() == [False] * 9 + [True] * 10
    assert predictions.by_horizon[1].predicted["X"].notna().all()
    assert list(predictions.train_predictions) == list(predictions.validation_residuals) == [0]
    assert predictions.fit_records[1][1] == {
        "symbol": "X",
        "seed": 0,
        "horizons": [2],
        "failed": "dead",
    }
    assert set(predictions.table.query("window == 1")["horizon"]) == {1, 3}


def test_fit_records_have_horizons_where_there_are_several() -> None:
    assert [fit["horizons"] for fit in predictions_for(SEVERAL).fit_records[0]] == [[1], [2], [3]]
    assert [fit["horizons"] for fit in predictions_for(JOINT).fit_records[0]] == [[1, 2, 3]]
    assert "horizons" not in predictions_for(TargetSpec(horizon=2)).fit_records[0][0]


@pytest.mark.parametrize("target", [TargetSpec(horizon=2), JOINT], ids=["one", "several"])
def test_quantiles_are_in_the_table_and_averaged_for_the_sizing(target) -> None:
    tasks, outcomes = over_horizons(target, seeds=2)
    spread = np.array([-5.0, 0.0, 5.0])
    training = TrainingSpec(loss=QuantileLoss(levels=(0.025, 0.5, 0.975)))
    tasks = [replace(task, training=training) for task in tasks]
    outcomes = [
        replace(outcome, quantiles=outcome.test[..., None] + (1 + task.seed_index) * spread)
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]
    predictions = concat_out_of_sample(history_of(target), WINDOWS, tasks, outcomes)
    table = predictions.table
    assert list(table.columns[-3:]) == ["q2.5", "q50", "q97.5"]
    np.testing.assert_allclose(table["q97.5"] - table["predicted"], 5.0 * (1 + table["seed"]))
    np.testing.assert_allclose(table["q50"], table["predicted"])
    assert list(predictions.quantiles) == [0.025, 0.5, 0.975]
    np.testing.assert_allclose(predictions.quantiles[0.025]["X"], predictions.predicted["X"] - 7.5)


def test_without_quantiles_there_are_none() -> None:
    assert predictions_for(JOINT).quantiles == {}


WAVE = np.sin(np.arange(40.0) ** 2)
"""A feature whose every bar is another."""


def waving(scaling: ScalingSpec, stop: int = 40) -> FeatureHistory:
    """The history up to a bar, its feature scaled so."""
    history = history_of(bars=stop)
    features = replace(history.features, values=WAVE[:stop, None])
    return replace(history, features=features, scaling=scaling)


SERVED = WalkForwardWindow(0, range(24, 30), range(31, 34), range(35, 40))


def served_by(model: Forecaster, scaling: ScalingSpec) -> FittedModel:
    """Fitted on the one window."""
    (task,) = make_fit_tasks(
        {"strategy": model},
        waving(scaling),
        [SERVED],
        ["X"],
        training=TrainingSpec(),
        seeds=1,
        seed=1,
    )
    return fit_task(task)


@pytest.mark.parametrize(
    "scaling",
    [StandardScaling(), RollingZscoreScaling(window=20)],
    ids=lambda scaling: scaling.kind,
)
@pytest.mark.parametrize("model", [Ridge(lookback=3), Persistence()], ids=lambda model: model.kind)
def test_a_row_is_predicted_alone_as_among_others_and_without_later_bars(
    model: Forecaster, scaling: ScalingSpec
) -> None:
    fitted = served_by(model, scaling)
    whole = predict_window(fitted, waving(scaling), "X", SERVED.test)
    for row in SERVED.test:
        history = waving(scaling, stop=row + 1)
        alone = predict_window(fitted, history, "X", range(row, row + 1))
        assert alone.test[0] == whole.test[row - SERVED.test.start]


def test_a_fitted_model_needs_all_bars_of_a_sequence() -> None:
    fitted = served_by(Ridge(lookback=3), StandardScaling())
    with pytest.raises(UsageError, match="too few bars"):
        predict_window(fitted, waving(StandardScaling()), "X", range(1, 3))

"""Stitching: test parts one behind the other, and what is left out leaves a hole, not a zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.features.config import TargetSpec
from engine.models import Forecast, Lstm, Micdl, Persistence, QuantileLoss, TrainingSpec
from engine.models import TrainingHistory as Course
from engine.training.datasets import FeatureHistory, build_dataset
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import Predictions, concat_out_of_sample
from engine.training.task import FitTask
from tests.training.histories import STAMPS, WINDOWS, ahead, history_of


@pytest.fixture
def history() -> FeatureHistory:
    return history_of()


def tasks_of(history: FeatureHistory, seeds: int) -> list[FitTask]:
    return [
        FitTask(
            *("strategy", "X", window.index, member, 0, Persistence(), TrainingSpec()),
            build_dataset(history, "X", window, 1),
        )
        for window in WINDOWS
        for member in range(seeds)
    ]


def forecast(task: FitTask) -> Forecast:
    value = 10.0 * task.window + task.seed_index
    return Forecast.constant(task.dataset, value)


def test_the_forecast_is_the_mean_over_the_seeds_window_by_window(history) -> None:
    tasks = tasks_of(history, seeds=2)
    made = concat_out_of_sample(history, WINDOWS, tasks, [forecast(task) for task in tasks])
    assert made.predicted.index.equals(STAMPS[21:])
    assert made.predicted["X"].tolist() == [0.5] * 9 + [10.5] * 10
    assert made.window_index.tolist() == [0] * 9 + [1] * 10
    assert made.train_predictions[1]["X"].tolist() == [10.5] * 10
    assert len(made.table) == 2 * 19


def test_a_seed_that_was_left_out_counts_for_nothing(history) -> None:
    tasks = tasks_of(history, seeds=2)
    outcomes = [forecast(task) for task in tasks]
    outcomes[3] = TrainingError("the loss is not a number")
    made = concat_out_of_sample(history, WINDOWS, tasks, outcomes)
    assert made.predicted["X"].tolist() == [0.5] * 9 + [10.0] * 10
    assert made.train_predictions[1]["X"].tolist() == [10.0] * 10
    assert len(made.table) == 2 * 9 + 10
    assert made.fit_records[1][1] == {
        "symbol": "X",
        "seed": 1,
        "failed": "the loss is not a number",
    }


def test_a_fit_tells_how_it_started_only_where_it_could_have_started_warm(history) -> None:
    cold = tasks_of(history, seeds=1)
    training = TrainingSpec(warm_start="previous_window")
    warm = [replace(task, model=Micdl(), training=training) for task in cold]
    outcomes = [
        replace(forecast(task), history=Course((1.0,), (1.0,), warm=bool(task.window)))
        for task in cold
    ]
    told = [
        concat_out_of_sample(history, WINDOWS, tasks, outcomes).fit_records
        for tasks in (cold, warm)
    ]
    assert [fits[window][0].get("warm") for fits in told for window in (0, 1)] == [
        *(None, None, False, True)
    ]


def test_a_fit_tells_its_key_where_it_is_in_the_store(history) -> None:
    tasks = tasks_of(history, seeds=2)
    outcomes = [*(forecast(task) for task in tasks[:3]), TrainingError("dead")]
    told = concat_out_of_sample(
        history, WINDOWS, tasks, outcomes, ["a", None, "b", "c"]
    ).fit_records
    assert [fit.get("key") for window in (0, 1) for fit in told[window]] == ["a", None, "b", None]


def test_an_ensembles_fit_tells_each_members_losses(history) -> None:
    tasks = tasks_of(history, seeds=1)
    member = replace(forecast(tasks[0]), history=Course((3.0, 2.0), (4.0, 5.0), 0))
    whole = replace(forecast(tasks[0]), members=(member, replace(member, members=(member,))))
    (told,) = concat_out_of_sample(
        history, WINDOWS, tasks, [whole, forecast(tasks[1])]
    ).fit_records[0]
    course = {
        "epochs": 2,
        "best_epoch": 0,
        "train_loss": [3.0, 2.0],
        "validation_loss": [4.0, 5.0],
    }
    assert told["members"] == [course, course | {"members": [course]}]
    assert told["epochs"] == 0


def test_a_window_without_any_fit_is_a_hole_and_no_zero(history) -> None:
    tasks = tasks_of(history, seeds=1)
    made = concat_out_of_sample(
        history, WINDOWS, tasks, [TrainingError("dead"), forecast(tasks[1])]
    )
    assert made.predicted["X"].isna().tolist() == [True] * 9 + [False] * 10
    assert list(made.train_predictions) == [1]
    assert made.table["window"].unique().tolist() == [1]


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

    def made(task: FitTask) -> Forecast:
        horizons = np.array(task.dataset.horizons, dtype=float)
        values = 100 * horizons + 10 * task.window + task.seed_index
        parts = [
            np.tile(values, (len(rows), 1))
            for rows in (task.dataset.train, task.dataset.validation, task.dataset.test)
        ]
        return Forecast(*(part[:, 0] if len(horizons) == 1 else part for part in parts))

    outcomes = [
        TrainingError("dead") if place in failed else made(task)
        for place, task in enumerate(tasks)
    ]
    return tasks, outcomes


def stitched(target: TargetSpec, **more) -> Predictions:
    return concat_out_of_sample(history_of(target), WINDOWS, *over_horizons(target, **more))


@pytest.mark.parametrize("target", [SEVERAL, JOINT], ids=["direct", "multi_output"])
def test_the_table_holds_every_horizon_whether_fitted_apart_or_together(target) -> None:
    table = stitched(target, seeds=2).table
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
    made = stitched(target, seeds=2)
    assert made.horizon == 2
    assert made.predicted["X"].tolist() == [200.5] * 9 + [210.5] * 10
    assert made.train_predictions[1]["X"].tolist() == [210.5] * 10
    assert list(made.by_horizon) == [1, 2, 3]
    assert made.by_horizon[3].predicted["X"].tolist() == [300.5] * 9 + [310.5] * 10


def test_residuals_are_those_of_the_validation_rows_over_the_traded_horizon() -> None:
    made = stitched(JOINT, seeds=2)
    np.testing.assert_allclose(made.validation_residuals[0]["X"], ahead(2, range(16, 20)) - 200.5)
    np.testing.assert_allclose(made.validation_residuals[1]["X"], ahead(2, range(25, 29)) - 210.5)


def test_a_fit_left_out_takes_its_own_horizon_alone() -> None:
    made = stitched(SEVERAL, failed=(4,))  # window 1, horizon 2
    assert made.predicted["X"].isna().tolist() == [False] * 9 + [True] * 10
    assert made.by_horizon[1].predicted["X"].notna().all()
    assert list(made.train_predictions) == list(made.validation_residuals) == [0]
    assert made.fit_records[1][1] == {"symbol": "X", "seed": 0, "horizons": [2], "failed": "dead"}
    assert set(made.table.query("window == 1")["horizon"]) == {1, 3}


def test_fits_say_which_horizons_they_are_of_where_there_are_several() -> None:
    assert [fit["horizons"] for fit in stitched(SEVERAL).fit_records[0]] == [[1], [2], [3]]
    assert [fit["horizons"] for fit in stitched(JOINT).fit_records[0]] == [[1, 2, 3]]
    assert "horizons" not in stitched(TargetSpec(horizon=2)).fit_records[0][0]


@pytest.mark.parametrize("target", [TargetSpec(horizon=2), JOINT], ids=["one", "several"])
def test_quantiles_reach_the_table_and_their_mean_over_the_seeds_the_sizing(target) -> None:
    tasks, outcomes = over_horizons(target, seeds=2)
    spread = np.array([-5.0, 0.0, 5.0])
    training = TrainingSpec(loss=QuantileLoss(levels=(0.025, 0.5, 0.975)))
    tasks = [replace(task, training=training) for task in tasks]
    outcomes = [
        replace(outcome, quantiles=outcome.test[..., None] + (1 + task.seed_index) * spread)
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]
    made = concat_out_of_sample(history_of(target), WINDOWS, tasks, outcomes)
    table = made.table
    assert list(table.columns[-3:]) == ["q2.5", "q50", "q97.5"]
    np.testing.assert_allclose(table["q97.5"] - table["predicted"], 5.0 * (1 + table["seed"]))
    np.testing.assert_allclose(table["q50"], table["predicted"])
    assert list(made.quantiles) == [0.025, 0.5, 0.975]
    np.testing.assert_allclose(made.quantiles[0.025]["X"], made.predicted["X"] - 7.5)


def test_without_quantiles_there_are_none() -> None:
    assert stitched(JOINT).quantiles == {}

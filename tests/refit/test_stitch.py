"""Stitching: test parts one behind the other, and what is left out leaves a hole, not a zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.errors import RefitError
from engine.features.build import Features
from engine.models import Forecast, Micdl, Persistence, Training
from engine.models import History as Course
from engine.refit.problems import History, problem_of
from engine.refit.stitch import stitch
from engine.refit.task import Task
from engine.windows.scaling import Standard
from engine.windows.walk_forward import Window

STAMPS = pd.date_range("2020-01-01", periods=40, freq="D", tz="UTC", name="timestamp")
WINDOWS = (
    Window(0, range(5, 15), range(16, 20), range(21, 30)),
    Window(1, range(14, 24), range(25, 29), range(30, 40)),
)


@pytest.fixture
def history() -> History:
    close = pd.DataFrame({"X": np.linspace(1, 2, 40)}, index=STAMPS)
    features = Features(STAMPS, np.arange(40.0)[:, None], ("X:a",), (("X", (0,)),), warmup=0)
    return History(features, close.pct_change().shift(-1), close.pct_change(), 1, Standard())


def tasks_of(history: History, seeds: int) -> list[Task]:
    return [
        Task(
            *("strategy", "X", window.index, member, 0, Persistence(), Training()),
            problem_of(history, "X", window, 1),
        )
        for window in WINDOWS
        for member in range(seeds)
    ]


def forecast(task: Task) -> Forecast:
    value = 10.0 * task.window + task.member
    return Forecast.constant(task.problem, value)


def test_the_forecast_is_the_mean_over_the_seeds_window_by_window(history) -> None:
    tasks = tasks_of(history, seeds=2)
    made = stitch(history, WINDOWS, tasks, [forecast(task) for task in tasks])
    assert made.predicted.index.equals(STAMPS[21:])
    assert made.predicted["X"].tolist() == [0.5] * 9 + [10.5] * 10
    assert made.window.tolist() == [0] * 9 + [1] * 10
    assert made.train[1]["X"].tolist() == [10.5] * 10
    assert len(made.table) == 2 * 19


def test_a_seed_that_was_left_out_counts_for_nothing(history) -> None:
    tasks = tasks_of(history, seeds=2)
    outcomes = [forecast(task) for task in tasks]
    outcomes[3] = RefitError("the loss is not a number")
    made = stitch(history, WINDOWS, tasks, outcomes)
    assert made.predicted["X"].tolist() == [0.5] * 9 + [10.0] * 10
    assert made.train[1]["X"].tolist() == [10.0] * 10
    assert len(made.table) == 2 * 9 + 10
    assert made.fits[1][1] == {"symbol": "X", "seed": 1, "failed": "the loss is not a number"}


def test_a_fit_tells_how_it_started_only_where_it_could_have_started_warm(history) -> None:
    cold = tasks_of(history, seeds=1)
    training = Training(warm_start="previous_window")
    warm = [replace(task, model=Micdl(), training=training) for task in cold]
    outcomes = [
        replace(forecast(task), history=Course((1.0,), (1.0,), warm=bool(task.window)))
        for task in cold
    ]
    told = [stitch(history, WINDOWS, tasks, outcomes).fits for tasks in (cold, warm)]
    assert [fits[window][0].get("warm") for fits in told for window in (0, 1)] == [
        *(None, None, False, True)
    ]


def test_an_ensembles_fit_tells_each_members_losses(history) -> None:
    tasks = tasks_of(history, seeds=1)
    member = replace(forecast(tasks[0]), history=Course((3.0, 2.0), (4.0, 5.0), 0))
    whole = replace(forecast(tasks[0]), members=(member, replace(member, members=(member,))))
    (told,) = stitch(history, WINDOWS, tasks, [whole, forecast(tasks[1])]).fits[0]
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
    made = stitch(history, WINDOWS, tasks, [RefitError("dead"), forecast(tasks[1])])
    assert made.predicted["X"].isna().tolist() == [True] * 9 + [False] * 10
    assert list(made.train) == [1]
    assert made.table["window"].unique().tolist() == [1]

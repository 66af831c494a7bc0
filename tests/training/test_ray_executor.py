"""The Ray executor on a real Ray of two workers on this machine."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError, UsageError
from engine.core.versions import collect_fit_versions
from engine.models import Lstm, Micdl, Ridge, TrainingSpec, TunedForecaster, TuningSpec
from engine.models.fitted_model import FittedModel
from engine.testing import make_example
from engine.training.executors.local import LocalExecutor
from engine.training.executors.ray import RayExecutor, fields_without_arrays, fit_on_node
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.training.chained import chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.training.executors.base import Executor

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and processes open, and warns of future defaults.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MODELS = [Micdl(lookback=6, units=8, dense=(16, 8)), Lstm(lookback=6, units=(8,))]
SPACE = {"model.lookback": {"kind": "integer", "low": 1, "high": 3}}
TUNED = TunedForecaster(
    model=Ridge(), tune=TuningSpec.model_validate({"space": SPACE, "trials": 4})
)


def tasks_of(count: int, epochs: int = 10) -> list[FitTask]:
    training = TrainingSpec(epochs=epochs, batch_size=32, early_stopping=None)
    windows = [make_example(window).training_set for window in range((count + 1) // 2)]
    return [
        FitTask("strategy", "X", n // 2, n % 2, n, MODELS[n % 2], training, windows[n // 2])
        for n in range(count)
    ]


def bytes_of(executor: Executor, tasks: list[FitTask]) -> list[bytes]:
    fitted = dict(executor.run_tasks(FitScheduler(tasks)))
    return [fitted[place].train.tobytes() for place in range(len(tasks))]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayExecutor]:
    started = RayExecutor(None, "tensorflow", workers=2)
    yield started
    started.close()


@pytest.fixture(scope="module")
def local() -> list[bytes]:
    """The fits of `tasks_of(6)` in worker processes of this machine; `tasks_of(2)` begins them."""
    return bytes_of(LocalExecutor(2, "tensorflow"), tasks_of(6))


def workers_at_work() -> list[int]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if command.read_bytes().startswith(b"ray::fit_on_node"):
                found.append(int(command.parent.name))
        except OSError:
            continue
    return found


def test_workers_is_the_number_of_cpus_of_the_cluster(cluster: RayExecutor) -> None:
    assert cluster.workers == 2


def test_cluster_and_local_models_are_byte_equal(cluster: RayExecutor, local) -> None:
    assert bytes_of(cluster, tasks_of(4)) == local[:4]


def test_a_study_chooses_the_same_on_the_cluster_as_locally(cluster: RayExecutor) -> None:
    task = FitTask("strategy", "X", 0, 0, 3, TUNED, TrainingSpec(), make_example(1).training_set)
    ((_, far),) = cluster.run_tasks(FitScheduler([task]))
    ((_, near),) = LocalExecutor(1, "tensorflow").run_tasks(FitScheduler([task]))
    assert far.forecaster.history == near.forecaster.history
    assert far.train.tobytes() == near.train.tobytes()


def test_a_lost_workers_tasks_are_fitted_again(cluster: RayExecutor, local) -> None:
    tasks = tasks_of(6)
    fits = cluster.run_tasks(FitScheduler(tasks))
    fitted = dict([next(fits)])
    victims = workers_at_work()
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    fitted.update(fits)
    assert [fitted[place].train.tobytes() for place in range(len(tasks))] == local


def test_warm_starts_on_cluster_and_locally_are_byte_equal(cluster: RayExecutor) -> None:
    tasks = [task for member in (0, 1) for task in chain(4, member)]
    assert bytes_of(cluster, tasks) == bytes_of(LocalExecutor(2, "tensorflow"), tasks)


def test_the_arrays_of_a_window_are_put_once_for_all_chains(
    cluster: RayExecutor, monkeypatch
) -> None:
    import ray

    put, originally = [], ray.put
    monkeypatch.setattr(ray, "put", lambda value: put.append(value) or originally(value))
    windows = chain(3)
    tasks = [
        replace(task, seed_index=member, seed=member) for member in (0, 1) for task in windows
    ]
    assert len(dict(cluster.run_tasks(FitScheduler(tasks)))) == 6
    assert [id(value) for value in put] == [id(task.training_set) for task in windows]


def test_a_failed_fit_is_returned_and_names_its_window(cluster: RayExecutor) -> None:
    bad = make_example().training_set
    bad.inputs[bad.train] = np.nan
    task = FitTask("strategy", "X", 5, 0, 0, Ridge(), TrainingSpec(), bad)
    ((_, outcome),) = cluster.run_tasks(FitScheduler([task]))
    assert isinstance(outcome, TrainingError)
    assert outcome.where == "strategy X window 5 seed 0"


def test_closing_the_generator_cancels_its_tasks(cluster: RayExecutor, local) -> None:
    fits = cluster.run_tasks(FitScheduler(tasks_of(6, epochs=200)))
    next(fits)
    fits.close()
    assert bytes_of(cluster, tasks_of(2)) == local[:2]


def test_a_node_with_another_optuna_version_rejects_only_tuned_tasks() -> None:
    versions = {**collect_fit_versions("tensorflow"), "optuna": "1.0.0"}
    answers = []
    for model in (TUNED, Ridge()):
        arrays = make_example().training_set
        task = FitTask("strategy", "X", 0, 0, 0, model, TrainingSpec(), arrays)
        answers.append(fit_on_node(fields_without_arrays(task), arrays, None, versions))
    refused, fitted = answers
    assert isinstance(refused, UsageError)
    assert refused.expected == "optuna 1.0.0"
    assert isinstance(fitted, FittedModel)


def test_without_ray_the_error_names_the_extra_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"backtest-engine\[ray\]"):
        RayExecutor(None, "tensorflow")

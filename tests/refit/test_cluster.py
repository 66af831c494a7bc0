"""The Ray executor on a real Ray of two workers on this machine."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.artifacts import fit_versions
from engine.errors import RefitError, UsageError
from engine.models import Forecast, Lstm, Micdl, Ridge, Training, Tune, Tuned
from engine.refit import cluster as module
from engine.refit.cluster import Cluster
from engine.refit.local import Local
from engine.refit.queue import Queue
from engine.refit.task import Task
from tests.models.problems import planted
from tests.refit.chained import chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.refit.executor import Executor

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and processes of its own open, and warns about its coming defaults.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MODELS = [Micdl(lookback=6, units=8, dense=(16, 8)), Lstm(lookback=6, units=(8,))]
SPACE = {"model.lookback": {"kind": "integer", "low": 1, "high": 3}}
TUNED = Tuned(model=Ridge(), tune=Tune.model_validate({"space": SPACE, "trials": 4}))


def tasks_of(count: int, epochs: int = 3) -> list[Task]:
    training = Training(epochs=epochs, batch_size=32, early_stopping=None)
    return [
        Task("strategy", "X", n // 2, n % 2, n, MODELS[n % 2], training, planted(n // 2))
        for n in range(count)
    ]


def bytes_of(executor: Executor, tasks: list[Task]) -> list[bytes]:
    fitted = dict(executor.fit(Queue(tasks)))
    return [fitted[place].test.tobytes() for place in range(len(tasks))]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    started = Cluster(None, "tensorflow", workers=2)
    yield started
    started.close()


def workers_at_work() -> list[int]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if command.read_bytes().startswith(b"ray::_fit_remotely"):
                found.append(int(command.parent.name))
        except OSError:
            continue
    return found


def test_a_cluster_says_how_many_fit_at_a_time(cluster: Cluster) -> None:
    assert cluster.workers == 2


def test_a_cluster_gives_the_bytes_of_local_workers(cluster: Cluster) -> None:
    tasks = tasks_of(4)
    assert bytes_of(cluster, tasks) == bytes_of(Local(2, "tensorflow"), tasks)


def test_a_study_on_the_cluster_chooses_what_local_workers_choose(cluster: Cluster) -> None:
    task = Task("strategy", "X", 0, 0, 3, TUNED, Training(), planted(1))
    ((_, far),) = cluster.fit(Queue([task]))
    ((_, near),) = Local(1, "tensorflow").fit(Queue([task]))
    assert far.history == near.history
    assert far.test.tobytes() == near.test.tobytes()


def test_a_lost_workers_tasks_are_fitted_again(cluster: Cluster) -> None:
    tasks = tasks_of(6, epochs=30)
    expected = bytes_of(Local(2, "tensorflow"), tasks)
    fits = cluster.fit(Queue(tasks))
    fitted = dict([next(fits)])
    victims = workers_at_work()
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    fitted.update(fits)
    assert [fitted[place].test.tobytes() for place in range(len(tasks))] == expected


def test_warm_starts_on_a_cluster_give_the_bytes_of_local_workers(cluster: Cluster) -> None:
    tasks = [task for member in (0, 1) for task in chain(4, member)]
    assert bytes_of(cluster, tasks) == bytes_of(Local(2, "tensorflow"), tasks)


def test_a_windows_arrays_are_put_once_however_many_chains_need_them(
    cluster: Cluster, monkeypatch
) -> None:
    import ray

    put, originally = [], ray.put
    monkeypatch.setattr(ray, "put", lambda value: put.append(value) or originally(value))
    windows = chain(3)
    tasks = [replace(task, member=member, seed=member) for member in (0, 1) for task in windows]
    assert len(dict(cluster.fit(Queue(tasks)))) == 6
    assert [id(value) for value in put] == [id(task.problem) for task in windows]


def test_a_failure_is_handed_back_and_names_its_window(cluster: Cluster) -> None:
    bad = planted()
    bad.inputs[bad.train] = np.nan
    task = Task("strategy", "X", 5, 0, 0, Ridge(), Training(), bad)
    ((_, outcome),) = cluster.fit(Queue([task]))
    assert isinstance(outcome, RefitError)
    assert outcome.where == "strategy X window 5 seed 0"


def test_closing_early_leaves_no_task_running(cluster: Cluster) -> None:
    fits = cluster.fit(Queue(tasks_of(6, epochs=200)))
    next(fits)
    fits.close()
    assert bytes_of(cluster, tasks_of(2)) == bytes_of(Local(1, "tensorflow"), tasks_of(2))


def test_a_node_with_another_optuna_is_refused_for_tuned_tasks_alone() -> None:
    versions = {**fit_versions("tensorflow"), "optuna": "1.0.0"}
    answers = []
    for model in (TUNED, Ridge()):
        task = Task("strategy", "X", 0, 0, 0, model, Training(), planted())
        answers.append(module._fit_remotely(module._head(task), task.problem, None, versions))
    refused, fitted = answers
    assert isinstance(refused, UsageError)
    assert refused.expected == "optuna 1.0.0"
    assert isinstance(fitted, Forecast)


def test_without_ray_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"backtest-engine\[ray\]"):
        Cluster(None, "tensorflow")

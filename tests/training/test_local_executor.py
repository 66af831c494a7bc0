"""The local executor: order, failures, and no process left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Micdl, Persistence, Ridge, TrainingSpec
from engine.models.fitted_model import FittedModel
from engine.testing import make_example
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.training.chained import chain

pytestmark = pytest.mark.usefixtures("new_processes")


def tasks_of(model, count: int = 3) -> list[FitTask]:
    training = TrainingSpec(epochs=1)
    return [
        FitTask("strategy", "X", window, 0, 0, model, training, make_example(window).training_set)
        for window in range(count)
    ]


def fit_all_of(tasks: list[FitTask], workers: int = 1) -> dict[int, FittedModel | TrainingError]:
    return dict(LocalExecutor(workers, "tensorflow").run_tasks(FitScheduler(tasks)))


def test_every_task_is_fitted_once_under_its_index() -> None:
    tasks = tasks_of(Persistence(), 7)
    models = list(LocalExecutor(2, "tensorflow").run_tasks(FitScheduler(tasks)))
    assert sorted(place for place, _ in models) == list(range(7))
    for place, fitted in models:
        arrays = tasks[place].training_set
        assert np.array_equal(fitted.train, arrays.trailing[arrays.train])


def test_no_task_needs_no_worker() -> None:
    assert fit_all_of([]) == {}


def test_a_failed_fit_is_returned_and_names_its_window() -> None:
    good, bad, *_ = tasks_of(Ridge())
    inputs = bad.training_set.inputs.copy()
    inputs[bad.training_set.train] = np.nan
    bad = replace(bad, training_set=replace(bad.training_set, inputs=inputs))
    outcomes = fit_all_of([good, bad])
    assert isinstance(outcomes[0], FittedModel)
    assert isinstance(outcomes[1], TrainingError)
    assert outcomes[1].where == "strategy X window 1 seed 0"


@pytest.mark.slow
def test_closing_the_generator_stops_the_workers() -> None:
    known = set(children())
    fits = LocalExecutor(2, "tensorflow").run_tasks(FitScheduler(tasks_of(Persistence(), 50)))
    next(fits)
    assert len(set(children()) - known) == 2
    fits.close()
    assert set(children()) == known


@pytest.mark.slow
def test_one_chain_has_one_worker_for_all_windows() -> None:
    known = set(children())
    crews = [
        frozenset(children()) - known
        for _ in LocalExecutor(3, "tensorflow").run_tasks(FitScheduler(chain(4)))
    ]
    assert len(crews) == 4
    assert len(set(crews)) == 1
    assert len(crews[0]) == 1


@pytest.mark.slow
def test_an_idle_worker_waits_for_the_next_ready_task() -> None:
    """Three chains on two workers, of which one ends early."""
    tasks = [*chain(1), *chain(5, member=1), *chain(5, member=2)]
    fitted = dict(LocalExecutor(2, "tensorflow").run_tasks(FitScheduler(tasks)))
    warm = [fitted[place].forecaster.history.warm for place in range(len(tasks))]
    assert warm == [bool(task.window) for task in tasks]


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


@pytest.mark.slow
def test_the_error_of_a_dead_worker_has_its_last_output() -> None:
    (task,) = tasks_of(Micdl(), 1)
    known = set(children())

    def kill() -> None:
        (worker,) = set(children()) - known
        os.kill(int(worker), signal.SIGKILL)

    threading.Timer(1.0, kill).start()
    with pytest.raises(TrainingError, match="worker died") as caught:
        fit_all_of([task])
    assert "exit status -9" in str(caught.value)
    assert "window 0" in str(caught.value)


@pytest.mark.slow
def test_an_interrupt_leaves_no_worker_behind() -> None:
    script = textwrap.dedent("""
        import os, signal, sys, threading, time
        from engine.models import Micdl, TrainingSpec
        from engine.testing import make_example
        from engine.training.executors.local import LocalExecutor
        from engine.training.scheduler import FitScheduler
        from engine.training.task import FitTask

        def children():
            path = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
            return open(path).read().split()

        training = TrainingSpec(epochs=10_000, early_stopping=None)
        arrays = make_example().training_set
        task = FitTask("strategy", "X", 0, 0, 0, Micdl(), training, arrays)
        threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            list(LocalExecutor(2, "tensorflow").run_tasks(FitScheduler([task, task])))
        except KeyboardInterrupt:
            print("interrupted", len(children()))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "interrupted 0\n"

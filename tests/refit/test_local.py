"""The local executor: order kept, failures loud, nothing left running."""

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

from engine.errors import RefitError
from engine.models import Micdl, Persistence, Ridge, Training
from engine.refit.local import Local
from engine.refit.task import Task
from tests.models.problems import planted


def tasks_of(model, count: int = 3) -> list[Task]:
    return [
        Task("strategy", "X", window, 0, 0, model, Training(epochs=1), planted(window))
        for window in range(count)
    ]


def test_forecasts_come_back_in_the_order_of_the_tasks() -> None:
    tasks = tasks_of(Persistence(), 5)
    forecasts = Local(2, "tensorflow").run(tasks, lambda *_: None)
    for task, forecast in zip(tasks, forecasts, strict=True):
        assert np.array_equal(forecast.test, task.problem.trailing[task.problem.test])


def test_every_task_is_reported_once_with_a_rising_count() -> None:
    told: list[tuple[int, int, int]] = []

    def on_done(done: int, total: int, task: Task) -> None:
        told.append((done, total, task.window))

    Local(1, "tensorflow").run(tasks_of(Ridge()), on_done)
    assert told == [(1, 3, 0), (2, 3, 1), (3, 3, 2)]


def test_a_failure_names_its_window() -> None:
    good, bad, *_ = tasks_of(Ridge())
    inputs = bad.problem.inputs.copy()
    inputs[bad.problem.train] = np.nan
    bad = replace(bad, problem=replace(bad.problem, inputs=inputs))
    with pytest.raises(RefitError, match="window 1"):
        Local(1, "tensorflow").run([good, bad], lambda *_: None)


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


@pytest.mark.slow
def test_a_worker_that_dies_is_told_with_its_last_words() -> None:
    (task,) = tasks_of(Micdl(), 1)
    known = set(children())

    def kill() -> None:
        (worker,) = set(children()) - known
        os.kill(int(worker), signal.SIGKILL)

    threading.Timer(1.0, kill).start()
    with pytest.raises(RefitError, match="worker died") as caught:
        Local(1, "tensorflow").run([task], lambda *_: None)
    assert "exit status -9" in str(caught.value)
    assert "window 0" in str(caught.value)


@pytest.mark.slow
def test_an_interrupt_leaves_no_worker_behind() -> None:
    script = textwrap.dedent("""
        import os, signal, sys, threading, time
        from engine.models import Micdl, Training
        from engine.refit.local import Local
        from engine.refit.task import Task
        from tests.models.problems import planted

        def children():
            path = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
            return open(path).read().split()

        task = Task("strategy", "X", 0, 0, 0, Micdl(), Training(epochs=10_000), planted())
        threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            Local(2, "tensorflow").run([task, task], lambda *_: None)
        except KeyboardInterrupt:
            print("interrupted", len(children()))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "interrupted 0\n"

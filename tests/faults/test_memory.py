"""A worker that fits for hours does not grow (keras #17458, #20552)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engine.models import Micdl, TrainingSet, TrainingSpec
from engine.testing.models import cut_training_set, make_example
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("new_processes")]

REFITS = 250
WARM = 50
GROWTH_BYTES = 12_000_000
"""60 kB a fit; the leaks of Keras that are named above are ten times as large."""


def resident_bytes(pid: str) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def window_of(further_bars: int) -> TrainingSet:
    example = make_example(further_bars)
    rows = example.training_set
    validation = np.arange(rows.validation[0], rows.validation[-1] + 1 + further_bars)
    return cut_training_set(example.inputs, example.target, rows.train, validation)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_memory_is_flat_over_refits(backend) -> None:
    model = Micdl(lookback=6, units=8, dense=(16, 8))
    training = TrainingSpec(epochs=2, batch_size=64)
    # Windows of different lengths, as calendar lengths give them.
    windows = [window_of(further_bars) for further_bars in range(8)]
    tasks = [
        FitTask("strategy", "X", n, 0, n, model, training, windows[n % 8]) for n in range(REFITS)
    ]
    known = children()
    sizes = []
    for _ in LocalExecutor(1, backend).run_tasks(FitScheduler(tasks)):
        (worker,) = children() - known
        sizes.append(resident_bytes(worker))
    assert len(sizes) == REFITS
    assert max(sizes[-20:]) - max(sizes[WARM - 20 : WARM]) < GROWTH_BYTES

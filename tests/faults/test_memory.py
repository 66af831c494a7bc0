"""A worker that fits for hours does not grow (keras #17458, #20552)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.models import Micdl, TrainingSpec
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.models.planted_data import planted

pytestmark = pytest.mark.slow

REFITS = 500
WARM = 100
GROWTH_BYTES = 20_000_000


def resident_bytes(pid: str) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_memory_is_flat_over_500_refits(backend) -> None:
    model = Micdl(lookback=6, units=8, dense=(16, 8))
    training = TrainingSpec(epochs=2, batch_size=64)
    # Windows of different lengths, as calendar lengths give them.
    problems = [planted(n, rows=420 + n) for n in range(8)]
    tasks = [
        FitTask("strategy", "X", n, 0, n, model, training, problems[n % 8]) for n in range(REFITS)
    ]
    known = children()
    sizes = []
    for _ in LocalExecutor(1, backend).run_tasks(FitScheduler(tasks)):
        (worker,) = children() - known
        sizes.append(resident_bytes(worker))
    assert len(sizes) == REFITS
    assert max(sizes[-20:]) - max(sizes[WARM - 20 : WARM]) < GROWTH_BYTES

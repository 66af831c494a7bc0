"""Memory of one fit beyond that of its libraries, as a multiple of its feature matrix.

A separate process first fits a large window on few of its rows, which loads and compiles
everything, and then a small window, which replaces its arrays. Then it fits the large window on
all rows. The result is the largest growth of resident memory: the matrix, its copy for the
compiled steps, targets, rows and batches. Materialised sequences would take `lookback` matrices.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

import numpy as np

from engine.models import Lstm, TrainingSet, TrainingSpec
from engine.training.worker import worker_environment

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"
"""The value that resets the peak in /proc/PID/clear_refs to the current resident memory."""


def make_training_set(bars: int, features: int, lookback: int, every: int = 1) -> TrainingSet:
    """A window over all bars: 95 % train rows, 5 % validation rows.

    Args:
        bars: Number of rows of the matrix.
        features: Number of columns.
        lookback: Bars in a sequence.
        every: Use only every n-th row.
    """
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((bars, features), dtype=np.float32)
    target = 0.01 * rng.standard_normal(bars)
    rows = np.arange(lookback - 1, bars, every)
    train, validation = np.split(rows, [int(0.95 * len(rows))])
    return TrainingSet(
        inputs=inputs,
        target=target,
        trailing=target,
        groups=(tuple(range(features)),),
        train=train,
        validation=validation,
    )


def resident_bytes(field: str) -> int:
    """Resident bytes as counted by the kernel: `VmRSS` is the current value, `VmHWM` the peak."""
    match = re.search(rf"{field}:\s*(\d+) kB", STATUS.read_text())
    assert match is not None
    return 1024 * int(match[1])


def release_freed_memory() -> None:
    """Returns freed memory to the system; otherwise a later fit would reuse it unnoticed."""
    with suppress(OSError, AttributeError):  # a C library without this call
        ctypes.CDLL(None).malloc_trim(0)


def measure_fit_memory(bars: int, features: int, lookback: int) -> dict[str, float]:
    """Bytes, and the peak as a multiple of the float32 matrix."""
    network = Lstm(lookback=lookback, units=(2,))
    training = TrainingSpec(epochs=1, batch_size=1_024, early_stopping=None)
    network.fit(make_training_set(bars, features, lookback, every=bars // 5_000), training, 1)
    network.fit(make_training_set(5_000, features, lookback), training, 1)
    gc.collect()
    release_freed_memory()
    before = resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    network.fit(make_training_set(bars, features, lookback), training, 1)
    grown, matrix = resident_bytes("VmHWM") - before, 4 * bars * features
    return {
        "matrix_bytes": matrix,
        "before_bytes": before,
        "peak_bytes": grown,
        "peak_in_matrices": grown / matrix,
    }


def main() -> None:
    """Restarts itself in the environment of a worker, and measures there."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    arguments.add_argument("--bars", type=int, default=1_000_000)
    arguments.add_argument("--features", type=int, default=20)
    arguments.add_argument("--lookback", type=int, default=60)
    arguments.add_argument("--here", action="store_true", help="measure in this process")
    given = arguments.parse_args()
    if given.here:
        summary = measure_fit_memory(given.bars, given.features, given.lookback)
        sys.stdout.write(json.dumps(summary) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        home = Path(name)
        subprocess.run(
            [sys.executable, *sys.argv, "--here"],
            env={**os.environ, **worker_environment(given.backend, home, home)},
            check=True,
        )


if __name__ == "__main__":
    main()

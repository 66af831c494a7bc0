"""How much memory one fit takes on top of its libraries, in units of its feature matrix.

A process of its own fits a window of many bars, features and lookback on few of its rows first,
which loads and compiles everything, and a small window, which displaces it. Then it fits on every
row. What its resident memory grows by at most is counted: the matrix, its copy where the compiled
steps gather from, targets, rows and batches. Sequences written out would take `lookback` matrices.
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

from engine.models import Lstm, TrainingSpec, WindowDataset
from engine.training.worker import worker_environment

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"
"""What /proc/PID/clear_refs takes to set the peak back to what is resident now."""


def make_dataset(bars: int, features: int, lookback: int, every: int = 1) -> WindowDataset:
    """A window over all bars: 90 % of its rows to train on, 5 % each to validate and to test.

    Args:
        bars: Rows of the matrix.
        features: Its columns.
        lookback: Bars in a sequence.
        every: Take only each so manieth row.
    """
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((bars, features), dtype=np.float32)
    target = 0.01 * rng.standard_normal(bars)
    rows = np.arange(lookback - 1, bars, every)
    train, validation, test = np.split(rows, [int(0.9 * len(rows)), int(0.95 * len(rows))])
    return WindowDataset(
        inputs, target, target, (tuple(range(features)),), train, validation, test
    )


def resident_bytes(what: str) -> int:
    """Bytes by the kernel's count: `VmRSS` now, `VmHWM` at most."""
    found = re.search(rf"{what}:\s*(\d+) kB", STATUS.read_text())
    assert found is not None
    return 1024 * int(found[1])


def release_freed_memory() -> None:
    """Returns freed memory to the system; what is kept would be missing from the growth."""
    with suppress(OSError, AttributeError):  # a C library that has no such call
        ctypes.CDLL(None).malloc_trim(0)


def measure_fit_memory(bars: int, features: int, lookback: int) -> dict[str, float]:
    """Bytes, and the peak as a multiple of the float32 matrix."""
    network = Lstm(lookback=lookback, units=(2,))
    training = TrainingSpec(epochs=1, batch_size=1_024, early_stopping=None)
    network.fit_predict(make_dataset(bars, features, lookback, every=bars // 5_000), training, 1)
    network.fit_predict(make_dataset(5_000, features, lookback), training, 1)
    gc.collect()
    release_freed_memory()
    before = resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    network.fit_predict(make_dataset(bars, features, lookback), training, 1)
    grown, matrix = resident_bytes("VmHWM") - before, 4 * bars * features
    return {
        "matrix_bytes": matrix,
        "before_bytes": before,
        "peak_bytes": grown,
        "peak_in_matrices": grown / matrix,
    }


def main() -> None:
    """Starts itself again in the environment of a worker, and measures there."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    arguments.add_argument("--bars", type=int, default=1_000_000)
    arguments.add_argument("--features", type=int, default=20)
    arguments.add_argument("--lookback", type=int, default=60)
    arguments.add_argument("--here", action="store_true", help="in this very process")
    given = arguments.parse_args()
    if given.received:
        told = measure_fit_memory(given.bars, given.features, given.lookback)
        sys.stdout.write(json.dumps(told) + "\n")
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

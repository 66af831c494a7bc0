"""Program: samples a second of a pooled LSTM, fitted by this engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from universe_panel import BATCH_SIZE, CLIP_NORM, FEATURES, LOOKBACK, UNITS, make_panel

from engine.models import Lstm, TrainingSet, TrainingSpec
from engine.training.worker import worker_environment


def time_epochs(epochs: int) -> tuple[int, float]:
    """Samples of the epochs and their seconds, of a fit that finds everything compiled."""
    inputs, target, train, validation = make_panel()
    arrays = TrainingSet(
        inputs=inputs,
        target=target,
        trailing=target,
        groups=(tuple(range(FEATURES)),),
        train=train,
        validation=validation,
    )
    network = Lstm(lookback=LOOKBACK, units=(UNITS,), dropout=0.0)

    def fit(count: int) -> float:
        training = TrainingSpec(
            epochs=count, batch_size=BATCH_SIZE, clip_norm=CLIP_NORM, early_stopping=None
        )
        began = time.perf_counter()
        network.fit(arrays, training, 1)
        return time.perf_counter() - began

    fit(1)
    return epochs * len(train), fit(1 + epochs) - fit(1)


def main() -> None:
    """Restarts itself in the environment of a worker, and measures there."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--here", action="store_true", help="measure in this process")
    given = arguments.parse_args()
    if given.here:
        samples, seconds = time_epochs(given.epochs)
        sys.stdout.write(json.dumps({"samples_per_s": samples / seconds}) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        home = Path(name)
        subprocess.run(
            [sys.executable, *sys.argv, "--here"],
            env={**os.environ, **worker_environment("tensorflow", home, home)},
            check=True,
        )


if __name__ == "__main__":
    main()

"""Program: the training stage of this engine, from fit tasks to out-of-sample forecasts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from workload import BATCH_SIZE, CLIP_NORM, LEARNING_RATE, LOOKBACK, SERIES, Workload, make_parser

from engine.core.progress import NullProgress
from engine.models import Adam, ConstantSchedule, Micdl, TrainingSpec
from engine.training.executors.local import LocalExecutor
from engine.training.forecast import predict_window
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import concat_out_of_sample
from engine.training.results import run_fits
from engine.training.store import FitStore


def main() -> None:
    """Fits every window in worker processes and prints the number of forecasts."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--home", type=Path, required=True, help="folder of the stored fits")
    options = arguments.parse_args()
    work = Workload(options.windows, options.epochs)
    training = TrainingSpec(
        epochs=work.epochs,
        batch_size=BATCH_SIZE,
        optimizer=Adam(learning_rate=LEARNING_RATE),
        schedule=ConstantSchedule(),
        clip_norm=CLIP_NORM,
        early_stopping=None,
    )
    history = work.make_history()
    windows = work.make_windows(history)
    tasks = make_fit_tasks(
        {"strategy": Micdl(lookback=LOOKBACK)},
        history,
        windows,
        SERIES[:1],
        training=training,
        seeds=1,
        seed=1,
    )
    local = LocalExecutor(options.workers, options.backend, options.home / "programs")
    models = run_fits(tasks, local, FitStore(options.home / "fits"), NullProgress()).outcomes
    forecasts = [
        predict_window(fitted, history, task.symbol, windows[task.window].test)
        for task, fitted in zip(tasks, models, strict=True)
    ]
    predictions = concat_out_of_sample(history, windows, tasks, forecasts)
    losses = [fit["train_loss"][-1] for fits in predictions.fit_records.values() for fit in fits]
    summary = {"forecasts": len(predictions.table), "train_loss": float(np.mean(losses))}
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()

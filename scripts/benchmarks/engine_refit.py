"""Contender: this engine's refit stage, from the plan to the stitched forecasts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from work import BATCH, CLIP_NORM, LEARNING_RATE, LOOKBACK, SERIES, Work, parser

from engine.models import Adam, Constant, Micdl, Training
from engine.progress import Silent
from engine.refit.fits import fit_all
from engine.refit.local import Local
from engine.refit.plan import plan
from engine.refit.stitch import stitch
from engine.refit.store import Store


def main() -> None:
    """Refits every window in worker processes and tells how many forecasts came of it."""
    arguments = parser(__doc__)
    arguments.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--home", type=Path, required=True, help="where fits are stored")
    given = arguments.parse_args()
    work = Work(given.windows, given.epochs)
    training = Training(
        epochs=work.epochs,
        batch_size=BATCH,
        optimizer=Adam(learning_rate=LEARNING_RATE),
        schedule=Constant(),
        clip_norm=CLIP_NORM,
        early_stopping=None,
    )
    history = work.history()
    windows = work.cut(history)
    tasks = plan(
        {"strategy": Micdl(lookback=LOOKBACK)},
        history,
        windows,
        SERIES[:1],
        training=training,
        seeds=1,
        seed=1,
    )
    local = Local(given.workers, given.backend, given.home / "programs")
    outcomes = fit_all(tasks, local, Store(given.home / "fits"), Silent()).outcomes
    told = stitch(history, windows, tasks, outcomes)
    losses = [fit["train_loss"][-1] for fits in told.fits.values() for fit in fits]
    summary = {"forecasts": len(told.table), "train_loss": float(np.mean(losses))}
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()

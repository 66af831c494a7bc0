"""Recursive forecasts of several bars: each one-bar forecast becomes an input of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.models.training.batches import make_even_batches

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix
    from engine.models.dataset import WindowDataset
    from engine.models.training.backend import TrainingBackend
    from engine.models.training.losses import TargetScale

MAX_BUFFERED_ROWS = 4_096
"""Rows of inputs held at a time; JAX pads to this size."""


def forecast_recursively(
    backend: TrainingBackend,
    dataset: WindowDataset,
    rows: IntVector,
    scale: TargetScale,
    batch_size: int,
) -> Matrix:
    """Forecast returns over each horizon: prod_i (1 + r_i) - 1 over the bars up to it.

    r_i is the forecast of bar t + i. The network forecasts it together with the inputs of that
    bar, which are appended to the sequence for bar t + i + 1, and the oldest bar is dropped.
    Coarser branches stay as at bar t. This is the recursive (iterated) strategy of Ben Taieb,
    Bontempi, Atiya & Sorjamaa (2012), Expert Systems with Applications 39(8), for several series.

    Args:
        backend: The fitted network; its inputs are replaced.
        dataset: Inputs, and the `horizons` to forecast.
        rows: (n,) rows to forecast from.
        scale: Scale of the training target.
        batch_size: Rows in a batch.

    Returns:
        (n, m) simple returns.
    """
    lookback = len(backend.lookback_offsets)
    size = max(1, MAX_BUFFERED_ROWS // lookback)
    chunks = [rows[first : first + size] for first in range(0, len(rows), size)]
    return np.concatenate(
        [_forecast_chunk(backend, dataset, chunk, scale, batch_size) for chunk in chunks]
    )


def _forecast_chunk(
    backend: TrainingBackend,
    dataset: WindowDataset,
    rows: IntVector,
    scale: TargetScale,
    batch_size: int,
) -> Matrix:
    lookback = len(backend.lookback_offsets)
    sequences = dataset.sequences(rows, lookback)
    newest = np.arange(len(rows)) * lookback + lookback - 1
    coarse = tuple(branch.inputs for branch in dataset.coarse)
    latest = tuple(np.repeat(branch.latest[rows], lookback) for branch in dataset.coarse)
    batches = make_even_batches(newest, batch_size)
    growth = np.ones(len(rows))
    by_horizon = []
    for step in range(1, dataset.horizons[-1] + 1):
        backend.set_inputs((sequences.reshape(-1, sequences.shape[2]), *coarse), latest)
        outputs = backend.predict(batches)[batches.mask]
        growth = growth * (1 + backend.layout.to_returns(outputs, scale)[:, 0, 0])
        if step in dataset.horizons:
            by_horizon.append(growth - 1)
        forecast = outputs[:, None, -backend.layout.n_inputs :]
        sequences = np.concatenate([sequences[:, 1:], forecast], axis=1)
    return np.column_stack(by_horizon)

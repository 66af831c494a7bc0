"""Several bars ahead by a network that knows one: its forecasts become its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.models.batches import even_batches

if TYPE_CHECKING:
    from engine.models.compiled import Compiled
    from engine.models.forecaster import Problem
    from engine.models.losses import Scale
    from engine.types import Matrix, Rows

BUFFER = 4_096
"""Rows of inputs held at a time; JAX pads to this anyway."""


def recursive_returns(
    compiled: Compiled, problem: Problem, rows: Rows, scale: Scale, batch_size: int
) -> Matrix:
    """Forecast returns over each horizon: prod_i (1 + r_i) - 1 over the bars up to it.

    r_i is the forecast of bar t + i. The network says it together with the inputs of that bar,
    which join the sequence in front of bar t + i + 1; the oldest bar leaves it. Coarser branches
    stay as they were at bar t. This is the recursive (iterated) strategy of Ben Taieb, Bontempi,
    Atiya & Sorjamaa (2012), Expert Systems with Applications 39(8), for several series.

    Args:
        compiled: The fitted network; what it sees is replaced.
        problem: `horizons` to reach.
        rows: (n,) decisions.
        scale: Of the training target.
        batch_size: Rows at a time.

    Returns:
        (n, m) simple returns.
    """
    lookback = len(compiled.offsets)
    size = max(1, BUFFER // lookback)
    chunks = [rows[first : first + size] for first in range(0, len(rows), size)]
    return np.concatenate(
        [_reached(compiled, problem, chunk, scale, batch_size) for chunk in chunks]
    )


def _reached(
    compiled: Compiled, problem: Problem, rows: Rows, scale: Scale, batch_size: int
) -> Matrix:
    lookback = len(compiled.offsets)
    sequences = problem.sequences(rows, lookback)
    newest = np.arange(len(rows)) * lookback + lookback - 1
    coarse = tuple(branch.inputs for branch in problem.coarse)
    latest = tuple(np.repeat(branch.latest[rows], lookback) for branch in problem.coarse)
    batches = even_batches(newest, batch_size)
    growth = np.ones(len(rows))
    reached = []
    for step in range(1, problem.horizons[-1] + 1):
        compiled.see((sequences.reshape(-1, sequences.shape[2]), *coarse), latest)
        outputs = compiled.predict(batches)[batches.real]
        growth = growth * (1 + compiled.outputs.in_returns(outputs, scale)[:, 0, 0])
        if step in problem.horizons:
            reached.append(growth - 1)
        forecast = outputs[:, None, -compiled.outputs.inputs :]
        sequences = np.concatenate([sequences[:, 1:], forecast], axis=1)
    return np.column_stack(reached)


def realised(problem: Problem, rows: Rows) -> Matrix:
    """What came over each horizon after some rows: (n, m), NaN where it is not known."""
    if not problem.recursive:
        return problem.target[rows].reshape(len(rows), -1)
    longest = problem.horizons[-1]
    growth = np.append(1.0 + problem.target, np.full(longest, np.nan))
    ahead = np.cumprod(growth[rows[:, None] + np.arange(longest)], axis=1)
    reached: Matrix = ahead[:, np.array(problem.horizons) - 1] - 1.0
    return reached

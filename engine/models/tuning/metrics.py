"""Scores of a configuration on rows that it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import TrainingSet

TuningMetric = Literal["mse", "mae", "directional_accuracy", "sharpe"]
OptimizationDirection = Literal["minimize", "maximize"]


def mse(predicted: Matrix, actual: Matrix) -> float:
    """Mean of (y - f)^2; lower is better."""
    return float(np.mean((actual - predicted) ** 2))


def mae(predicted: Matrix, actual: Matrix) -> float:
    """Mean of |y - f|; lower is better."""
    return float(np.mean(np.abs(actual - predicted)))


def directional_accuracy(predicted: Matrix, actual: Matrix) -> float:
    """Share of rows where f > 0 equals y > 0; a return of zero counts as not positive."""
    return float(np.mean((predicted > 0) == (actual > 0)))


def sign_sharpe(predicted: Matrix, actual: Matrix) -> float:
    """Mean / standard deviation of sign(f) y per bar, without costs; NaN where it does not vary.

    Over several horizons it is the mean of their ratios.
    """
    returns = np.sign(predicted) * actual
    deviation = returns.std(axis=0)
    ratio = np.divide(
        returns.mean(axis=0), deviation, out=np.full(len(deviation), np.nan), where=deviation > 0
    )
    return float(ratio.mean())


METRICS: dict[TuningMetric, tuple[Callable[[Matrix, Matrix], float], OptimizationDirection]] = {
    "mse": (mse, "minimize"),
    "mae": (mae, "minimize"),
    "directional_accuracy": (directional_accuracy, "maximize"),
    "sharpe": (sign_sharpe, "maximize"),
}
"""Each metric with the direction of optimisation."""


def compute_score(
    metric: TuningMetric, training_set: TrainingSet, rows: IntVector, predicted: Vector | Matrix
) -> float:
    """One metric over some rows and all horizons.

    Args:
        metric: The metric.
        training_set: Arrays that were predicted from.
        rows: (n,) rows that were forecast; those without a known return are left out.
        predicted: (n,) or (n, m).

    Returns:
        NaN where no return is known.
    """
    actual = training_set.realised_returns(rows)
    known = np.isfinite(actual).all(axis=1)
    if not known.any():
        return float("nan")
    return METRICS[metric][0](predicted.reshape(actual.shape)[known], actual[known])

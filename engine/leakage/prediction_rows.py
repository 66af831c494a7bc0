"""The rows of a forecast that a probe cuts, shifts and compares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.leakage.comparison import BarRows, OutputPair
from engine.models.fitted_model import CoarseRows, FeatureRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import BoolVector, IntVector, Matrix, Vector
    from engine.training.forecast import Forecast
    from engine.training.task import FitTask

    ServedModel = tuple[FitTask, Forecast]


def reads_any(replaced: BoolVector, rows: range, context: int) -> BoolVector:
    """Whether each of some rows, or one of the `context` rows before it, is a replaced one."""
    number = np.concatenate([[0], np.cumsum(replaced)])
    at = np.arange(rows.start, rows.stop)
    reads: BoolVector = number[at + 1] > number[np.maximum(at - context, 0)]
    return reads


def cut_passages(
    kept: FeatureRows, moved: FeatureRows, at: IntVector, context: int
) -> FeatureRows:
    """For each of some rows all that its prediction reads and another next row, below each other.

    Args:
        kept: The rows of the run.
        moved: The same rows with other values.
        at: (n,) ascending places in both, with `context` rows before each. A row that is the last
            of them is followed by itself with other values.
        context: Rows that a prediction reads before its own.

    Returns:
        n * (`context` + 2) rows; the coarser bars are those of the run.
    """
    rows = np.minimum(at[:, None] + np.arange(-context, 2), len(kept.features) - 1)
    features, trailing = kept.features[rows], kept.trailing[rows]
    features[:, -1], trailing[:, -1] = moved.features[rows[:, -1]], moved.trailing[rows[:, -1]]
    return replace(
        kept,
        features=features.reshape(-1, features.shape[-1]),
        trailing=trailing.ravel(),
        coarse=tuple(CoarseRows(each.features, each.latest[rows.ravel()]) for each in kept.coarse),
    )


def put_before(rows: FeatureRows, count: int) -> FeatureRows:
    """The rows below so many that are like the first of them."""
    first = np.zeros(count, dtype=np.int64)
    placed = np.concatenate([first, np.arange(len(rows.features))])
    return replace(
        rows,
        features=rows.features[placed],
        trailing=rows.trailing[placed],
        coarse=tuple(CoarseRows(each.features, each.latest[placed]) for each in rows.coarse),
    )


def pair_rows(
    task: FitTask,
    bars: BarRows,
    known: IntVector,
    original: Forecast,
    returns: Vector | Matrix,
    quantiles: Matrix | None,
) -> Iterator[OutputPair]:
    """The forecasts of one fit on the same rows, in other surroundings."""
    yield OutputPair("predictions", (f"{task}, test rows",), bars, original.test[known], returns)
    if original.quantiles is not None and quantiles is not None:
        count = len(known)
        yield OutputPair(
            "predictions",
            (f"{task}, quantiles",),
            bars,
            original.quantiles[known].reshape(count, -1),
            quantiles.reshape(count, -1),
        )

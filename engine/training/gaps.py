"""The arrays of a training set without the bars between its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BoolVector, IntVector
    from engine.models import TrainingSet

_Float = TypeVar("_Float", np.float32, np.float64)


def hide_gaps(training_set: TrainingSet, lookback: int) -> TrainingSet:
    """The same training set, NaN wherever no train or validation row has its inputs or label.

    A split that trains before and after its test rows has them inside its arrays. Hidden, no model
    can learn from them, and one that reads them gives NaN, which is an error of the fit.

    Args:
        training_set: Arrays from the first row of the first sequence to the last validation row.
        lookback: Bars in a sequence, of every interval.

    Returns:
        `inputs` keep the rows of each sequence, `trailing` and `target` the rows themselves; where
        it is recursive, `inputs` and `target` the rows as well that the longest horizon needs.
    """
    rows = np.concatenate([training_set.train, training_set.validation])
    count = len(training_set.inputs)
    # The inputs of the next bar are the label of a recursive forecast, and its later returns what
    # the forecast over the longest horizon is compared with.
    ahead, steps = (1, training_set.horizons[-1] - 1) if training_set.recursive else (0, 0)
    ends = np.concatenate([rows, rows + ahead])
    return replace(
        training_set,
        inputs=_keep(training_set.inputs, _sequence_rows(ends, lookback, count)),
        trailing=_keep(training_set.trailing, _sequence_rows(rows, 1, len(training_set.trailing))),
        target=_keep(
            training_set.target,
            _sequence_rows(rows + steps, 1 + steps, len(training_set.target)),
        ),
        coarse=tuple(
            replace(
                branch,
                inputs=_keep(
                    branch.inputs,
                    _sequence_rows(branch.latest[rows], lookback, len(branch.inputs)),
                ),
            )
            for branch in training_set.coarse
        ),
    )


def _sequence_rows(ends: IntVector, length: int, count: int) -> BoolVector:
    """(count,) whether a row is among the `length` rows that end with one of `ends`."""
    starts = np.bincount(np.maximum(ends - length + 1, 0), minlength=count + 1)
    stops = np.bincount(np.minimum(ends + 1, count), minlength=count + 1)
    inside: BoolVector = np.cumsum(starts - stops)[:count] > 0
    return inside


def _keep(values: npt.NDArray[_Float], rows: BoolVector) -> npt.NDArray[_Float]:
    """The values with NaN in all other rows."""
    kept = np.full_like(values, np.nan)
    kept[rows] = values[rows]
    return kept

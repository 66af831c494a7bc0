"""Differences that the number of bars makes in the last digits, which are no look-ahead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector
    from engine.features import FeatureMatrix
    from engine.training.feature_history import FeatureHistory

ROUNDING = 1e-9
"""Of a value, and of the spread of its column."""

TRANSFORM_ROUNDING = 1e-13
"""The same, of a transform over all bars, whose last digits depend on every one of them."""

_SPREAD_ROWS = 20_000
"""Most rows that a spread is taken from."""


def settle_features(
    original: FeatureHistory, perturbed: FeatureHistory, row: int
) -> FeatureHistory:
    """The perturbed history, with the original features where the others are rounded otherwise.

    A filter by a Fourier transform uses earlier bars alone, but its last digits depend on all of
    them. What is made of the features is compared bit for bit, so they have to be the same bits.

    Args:
        original: From the real bars.
        perturbed: From as many bars, altered after `row`.
        row: The last bar that both have in common.
    """
    coarse = tuple(
        replace(other, features=_settle(own.features, other.features, int(own.latest[row]) + 1))
        for own, other in zip(original.coarse, perturbed.coarse, strict=True)
    )
    return replace(
        perturbed,
        features=_settle(original.features, perturbed.features, row + 1),
        coarse=coarse,
    )


def _settle(original: FeatureMatrix, perturbed: FeatureMatrix, count: int) -> FeatureMatrix:
    one, two = original.values[:count], perturbed.values
    if np.array_equal(one, two[:count], equal_nan=True) or len(two) < count:
        return perturbed
    known = forgive_rounding(one, two[:count], TRANSFORM_ROUNDING)
    return replace(perturbed, values=np.concatenate([known, two[count:]]))


def forgive_rounding(
    original: npt.NDArray[Any], perturbed: npt.NDArray[Any], rounding: float
) -> npt.NDArray[Any]:
    """The perturbed values, with the original ones where they are equal up to rounding."""
    if np.array_equal(original, perturbed, equal_nan=original.dtype.kind == "f"):
        return perturbed
    rows = min(len(original), len(perturbed))
    if original.shape[1:] != perturbed.shape[1:] or original.dtype.kind != "f" or not rows:
        return perturbed
    one, two = original[:rows], perturbed[:rows]
    with np.errstate(invalid="ignore"):
        spread = column_spread(one).reshape(one.shape[1:])
        near = np.abs(one - two) <= rounding * (np.abs(one) + spread)
    return np.concatenate([np.where(near, one, two), perturbed[rows:]])


def column_spread(values: npt.NDArray[np.float64]) -> Vector:
    """(k,) scale of the columns without their outliers; 0 of a constant column.

    The interquartile range over 1.35, as large as a standard deviation where values are normal;
    the standard deviation where half of the values are equal, or it is smaller. NaN is left out,
    and of many rows only some are taken, evenly.
    """
    table = values.reshape(len(values), -1)[:: 1 + len(values) // _SPREAD_ROWS]
    finite = np.where(np.isfinite(table), table, np.nan)
    known = ~np.isnan(finite).all(axis=0)
    spread = np.zeros(table.shape[1])
    if known.any():
        low, high = np.nanquantile(finite[:, known], (0.25, 0.75), axis=0)
        deviation = np.nanstd(finite[:, known], axis=0)
        middle = (high - low) / 1.35
        spread[known] = np.where(middle > 0.0, np.minimum(middle, deviation), deviation)
    return spread

"""What a window's rows may see: features scaled by the train rows, the bars' own and coarser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import DataError
from engine.models.forecaster import CoarseInputs
from engine.splits.scaling import fit_scaler

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Matrix
    from engine.features.build import FeatureMatrix
    from engine.features.resolutions import CoarseFeatures
    from engine.splits.config import Scaling
    from engine.splits.walk_forward import WalkForwardWindow


def scale_features(
    features: FeatureMatrix, scaling: Scaling, train: range, rows: slice
) -> npt.NDArray[np.float32]:
    """Some rows of the features, scaled by the train rows.

    Args:
        features: Of all bars.
        scaling: The strategy's choice.
        train: Rows that it is fitted on.
        rows: What to return; nothing after them is read.

    Returns:
        Shape (rows, k), finite.

    Raises:
        InvalidBarsError: A train row is not finite.
        DataError: Another row is not finite.
    """
    scaler = fit_scaler(scaling, features.values, train)
    inputs = scaler.transform(features.values[: rows.stop])[rows]
    _check_finite_inputs(inputs, features, rows.start)
    return inputs.astype(np.float32)


def build_coarse_inputs(
    resolution: CoarseFeatures, scaling: Scaling, window: WalkForwardWindow, lookback: int
) -> CoarseInputs:
    """One window's inputs at a coarser interval.

    They are scaled by the coarse bars that became known from the close of the first train row to
    that of the last, and are cut to those that a sequence of a train, validation or test row
    reaches.

    Args:
        resolution: Features of all coarse bars.
        scaling: The strategy's choice.
        window: Its first train row must have `lookback` coarse bars past their warm-up behind it.
        lookback: Bars in a sequence, coarse as base; rows begin that many before the first train
            row.

    Returns:
        `latest` counts from the first coarse bar of the cut, so that rows before the first train
        row have less than `lookback` bars there, or none (-1).

    Raises:
        InvalidBarsError: A train row is not finite.
        DataError: Another row is not finite.
    """
    latest = resolution.latest[window.train.start - lookback + 1 : window.test.stop]
    known = resolution.latest[window.train.start : window.train.stop]
    train = range(int(known[0]), int(known[-1]) + 1)
    rows = slice(train.start - lookback + 1, int(latest[-1]) + 1)
    return CoarseInputs(
        inputs=scale_features(resolution.features, scaling, train, rows),
        latest=latest - rows.start,
        groups=tuple(columns for _, columns in resolution.features.symbol_columns),
    )


def _check_finite_inputs(inputs: Matrix, features: FeatureMatrix, first: int) -> None:
    bad = np.argwhere(~np.isfinite(inputs))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            "a feature is not finite inside a window",
            expected="a number on every bar after the warm-up",
            found=f"{features.names[column]} = {inputs[row, column]}, {len(bad)} in all",
            where=f"bar {features.timestamps[first + row]}",
            fix="check the bars around it, or leave the feature out",
        )

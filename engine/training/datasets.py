"""From the whole history to the arrays of one window, scaled by its train rows.

No array holds values from after the window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import DataError
from engine.models import WindowDataset
from engine.models.dataset import CoarseInputs
from engine.splits import fit_scaler

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector, WideFrame
    from engine.features import CoarseFeatures, FeatureMatrix, TargetSpec
    from engine.splits import Scaling, WalkForwardWindow


@dataclass(frozen=True)
class FeatureHistory:
    """Features and returns of all bars, from which the arrays of the windows are taken.

    Attributes:
        features: Features known at each close.
        forward_returns: Horizon -> wide: return over the next `horizon` bars, NaN where not yet
            known.
        trailing_returns: Horizon -> wide: return over the last `horizon` bars.
        target: The horizons that are forecast, and how; `forward_returns` and `trailing_returns`
            have all of them.
        scaling: Scaling of the features, fitted on each window's train rows.
        coarse: Features at coarser intervals known at each close.
    """

    features: FeatureMatrix
    forward_returns: Mapping[int, WideFrame]
    trailing_returns: Mapping[int, WideFrame]
    target: TargetSpec
    scaling: Scaling
    coarse: tuple[CoarseFeatures, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features, those of the bars' own interval first."""
        coarse = (name for resolution in self.coarse for name in resolution.features.names)
        return (*self.features.names, *coarse)


def build_dataset(
    history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
) -> WindowDataset:
    """The arrays of one window for the traded horizon, scaled by its train rows.

    Args:
        history: Features and returns of all bars.
        symbol: Symbol of the forecast return.
        window: Train, validation and test rows.
        lookback: Bars in a sequence; the arrays start that many before the first train row.

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
        InvalidBarsError: A feature is not finite on a train row.
    """
    first = window.train.start - lookback + 1
    rows = slice(first, window.test.stop)
    horizon = history.target.horizon
    return WindowDataset(
        inputs=scale_features(history.features, history.scaling, window.train, rows),
        target=_target_returns(history, symbol, window, rows, (horizon,)),
        trailing=history.trailing_returns[horizon][symbol].to_numpy()[rows],
        groups=tuple(columns for _, columns in history.features.symbol_columns),
        train=_relative_rows(window.train, first),
        validation=_relative_rows(window.validation, first),
        test=_relative_rows(window.test, first),
        horizons=(horizon,),
        coarse=tuple(
            build_coarse_inputs(resolution, history.scaling, window, lookback)
            for resolution in history.coarse
        ),
    )


def with_horizons(
    dataset: WindowDataset,
    history: FeatureHistory,
    symbol: str,
    window: WalkForwardWindow,
    horizons: tuple[int, ...],
    *,
    recursive: bool = False,
) -> WindowDataset:
    """The same rows and inputs, which are not copied, with another target.

    Args:
        dataset: Dataset of the same history, symbol and window.
        history: Features and returns of all bars.
        symbol: Symbol of the forecast return.
        window: Train, validation and test rows.
        horizons: Bars ahead, ascending.
        recursive: Train on the return of the next bar only, for recursive forecasts.
    """
    rows = slice(window.test.stop - len(dataset.inputs), window.test.stop)
    return replace(
        dataset,
        target=_target_returns(history, symbol, window, rows, (1,) if recursive else horizons),
        trailing=history.trailing_returns[horizons[0]][symbol].to_numpy()[rows],
        horizons=horizons,
        recursive=recursive,
    )


def _target_returns(
    history: FeatureHistory,
    symbol: str,
    window: WalkForwardWindow,
    rows: slice,
    horizons: tuple[int, ...],
) -> Vector | Matrix:
    """(n,) target returns, or (n, m) of several horizons; NaN after the validation rows.

    The purge is as long as the longest horizon, so that every earlier row has all its returns.
    """
    known = np.arange(rows.start, rows.stop) < window.validation.stop
    columns = [
        np.where(known, history.forward_returns[bars][symbol].to_numpy()[rows], np.nan)
        for bars in horizons
    ]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _relative_rows(part: range, first: int) -> IntVector:
    return np.arange(part.start - first, part.stop - first, dtype=np.int64)


def scale_features(
    features: FeatureMatrix, scaling: Scaling, train: range, rows: slice
) -> npt.NDArray[np.float32]:
    """Some rows of the features, scaled by the train rows.

    Args:
        features: Features of all bars.
        scaling: The strategy's scaling.
        train: Rows that the scaling is fitted on.
        rows: Rows to return; nothing after them is read.

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
    """The inputs of one window at a coarser interval.

    They are scaled by the coarse bars that became known from the close of the first train row to
    that of the last. Only the bars that sequences of train, validation or test rows need are kept.

    Args:
        resolution: Features of all coarse bars.
        scaling: The strategy's scaling.
        window: Before its first train row there must be `lookback` coarse bars past their warm-up.
        lookback: Bars in a sequence, of either interval; rows begin that many before the first
            train row.

    Returns:
        Inputs whose `latest` counts from their first coarse bar, so that rows before the first
        train row have fewer than `lookback` bars, or none (-1).

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

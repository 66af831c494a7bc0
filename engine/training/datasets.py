"""From the whole history to one window's arrays, with nothing in them from after the window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import DataError
from engine.models import WindowDataset
from engine.models.dataset import CoarseInputs
from engine.splits.scaling import fit_scaler

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector, WideFrame
    from engine.features.build import FeatureMatrix
    from engine.features.config import TargetSpec
    from engine.features.resolutions import CoarseFeatures
    from engine.splits.config import Scaling
    from engine.splits.walk_forward import WalkForwardWindow


@dataclass(frozen=True)
class FeatureHistory:
    """Everything the windows are cut from; rows are the market's bars.

    Attributes:
        features: What is known at each close.
        forward_returns: Horizon -> wide: return over the next `horizon` bars, NaN where not known
            yet.
        trailing_returns: Horizon -> wide: return over the last `horizon` bars.
        target: Which horizons are forecast, and how; `forward_returns` and `trailing_returns` hold
            all of them.
        scaling: Of the features, fitted on each window's train rows.
        coarse: What is known at each close of coarser intervals.
    """

    features: FeatureMatrix
    forward_returns: Mapping[int, WideFrame]
    trailing_returns: Mapping[int, WideFrame]
    target: TargetSpec
    scaling: Scaling
    coarse: tuple[CoarseFeatures, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of all features, the bars' own and then those of coarser intervals."""
        coarse = (name for resolution in self.coarse for name in resolution.features.names)
        return (*self.features.names, *coarse)


def build_dataset(
    history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
) -> WindowDataset:
    """One window's arrays for the horizon that is traded, scaled by its train rows.

    Args:
        history: Everything.
        symbol: Whose return is forecast.
        window: Train, validation and test rows.
        lookback: Bars in a sequence; the arrays start that many before the first train row.

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
        InvalidBarsError: It is on a train row.
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
    """The same rows and the same inputs, of which there is one copy, with another target.

    Args:
        dataset: Of the same history, symbol and window.
        history: Everything.
        symbol: Whose return is forecast.
        window: Its rows.
        horizons: Bars ahead, ascending.
        recursive: Learn the next bar alone, and reach the horizons over its forecasts.
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
    """(n,) returns to learn, or (n, m) of several horizons; NaN from the validation's end on.

    The purge is the longest horizon's, so that every row before has all of its returns.
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

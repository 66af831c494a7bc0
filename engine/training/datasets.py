"""From the whole history to the arrays of one window, scaled by its train rows.

No array holds values from after the window.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import DataError
from engine.models.dataset import CoarseInputs, TrainingSet
from engine.models.fitted_model import (
    QUANTILE_LEVELS,
    CoarseRows,
    FeatureRows,
    InputTransform,
    ScaledColumns,
)
from engine.splits import fit_scaler
from engine.splits.rows import row_index
from engine.training.absent_inputs import blank_absent
from engine.training.feature_history import column_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.features import CoarseFeatures, FeatureMatrix
    from engine.models.fitted_model import FittedModel
    from engine.splits import Scaling
    from engine.splits.rows import Rows, TrainTestSplit
    from engine.training.feature_history import FeatureHistory


def build_training_set(
    history: FeatureHistory, symbol: str, window: TrainTestSplit, lookback: int
) -> tuple[TrainingSet, InputTransform]:
    """The arrays of one window for the traded horizon, and what scaled them.

    Args:
        history: Features and returns of all bars; nothing after the last validation row is read.
        symbol: Symbol of the forecast return.
        window: Train and validation rows.
        lookback: Bars in a sequence; the arrays start that many before the first train row.

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
        InvalidBarsError: A feature is not finite on a train row.
    """
    window, history = history.own_split(symbol, window), history.seen_in(symbol, window)
    first, horizon = int(window.train[0]) - lookback + 1, history.target.horizon
    rows = slice(first, stop_of(window))
    columns = fit_columns(history.features, history.scaling, window.train)
    coarse = [
        build_coarse_inputs(each, history.scaling, window, lookback) for each in history.coarse
    ]
    training_set = TrainingSet(
        inputs=_scale_rows(columns, history.features, rows),
        target=target_returns(history, symbol, rows, (horizon,)),
        trailing=history.trailing_returns[horizon][symbol].to_numpy()[rows],
        groups=columns.groups,
        train=_relative_rows(window.train, first),
        validation=_relative_rows(window.validation, first),
        horizons=(horizon,),
        coarse=tuple(inputs for inputs, _ in coarse),
    )
    transform = InputTransform(
        symbol, (horizon,), recursive=False, columns=columns, coarse=tuple(c for _, c in coarse)
    )
    return training_set, transform


def with_horizons(
    training_set: TrainingSet,
    history: FeatureHistory,
    symbol: str,
    window: TrainTestSplit,
    horizons: tuple[int, ...],
    *,
    recursive: bool = False,
) -> TrainingSet:
    """The same rows and inputs, which are not copied, with another target.

    Args:
        training_set: Of the same history, symbol and window.
        history: Features and returns of all bars.
        symbol: Symbol of the forecast return.
        window: Train and validation rows.
        horizons: Bars ahead, ascending.
        recursive: Train on the return of the next bar only, for recursive forecasts. The inputs
            of the bar after the last validation row are then there too: they are its label.
    """
    window, history = history.own_split(symbol, window), history.seen_in(symbol, window)
    stop = stop_of(window)
    rows = slice(stop - len(training_set.inputs), stop + recursive)
    target = target_returns(history, symbol, rows, (1,) if recursive else horizons)
    if recursive:  # the return after that bar may reach into the test part
        target = np.where(np.arange(rows.start, rows.stop) < stop, target, np.nan)
    changed = replace(
        training_set,
        target=target,
        trailing=history.trailing_returns[horizons[0]][symbol].to_numpy()[rows],
        horizons=horizons,
        recursive=recursive,
    )
    if not recursive:
        return changed
    columns = fit_columns(history.features, history.scaling, window.train)
    return replace(changed, inputs=_scale_rows(columns, history.features, rows))


def target_returns(
    history: FeatureHistory, symbol: str, rows: slice | IntVector, horizons: tuple[int, ...]
) -> Vector | Matrix:
    """(n,) target returns of some rows, or (n, m) of several horizons.

    The purge after the validation rows is as long as the longest horizon, so that every row up to
    the last of them has all its returns before the first test bar.
    """
    columns = [column_of(history.forward_returns[bars], symbol)[rows] for bars in horizons]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def select_feature_rows(
    history: FeatureHistory, fitted: FittedModel, symbol: str, rows: range
) -> tuple[FeatureRows, IntVector]:
    """The unscaled features that a fitted model needs to predict some rows, and where they are.

    Args:
        history: Features and returns of all bars; nothing after the last of `rows` is read.
        fitted: The model.
        symbol: Symbol of the forecast return.
        rows: Consecutive rows of the history.

    Raises:
        UsageError: There are too few bars before the first row.
    """
    if not fitted.input_transform.symbols:  # a joint fit sees those of all symbols
        history = history.seen_by(symbol)
    first = rows.start - fitted.context
    taken = slice(max(0, first), rows.stop)
    horizon = fitted.input_transform.horizons[0]
    features = history.features.values[taken]
    if history.panel is not None:
        present = history.panel.present.to_numpy()[taken]
        groups = [columns for _, columns in history.features.symbol_columns]
        features = blank_absent(features, groups, present)
    selected = FeatureRows(
        features=features,
        trailing=column_of(history.trailing_returns[horizon], symbol)[taken],
        coarse=tuple(_select_coarse_rows(each, fitted, taken, rows) for each in history.coarse),
    )
    return selected, np.arange(rows.start - taken.start, len(selected.features), dtype=np.int64)


def _select_coarse_rows(
    resolution: CoarseFeatures, fitted: FittedModel, taken: slice, rows: range
) -> CoarseRows:
    """The coarse bars from the first that a sequence or the scaling of `rows` needs."""
    latest = resolution.latest[taken]
    start = max(0, int(resolution.latest[rows.start]) - fitted.context)
    return CoarseRows(
        resolution.features.values[start : int(latest[-1]) + 1], np.maximum(latest - start, -1)
    )


def _relative_rows(part: Rows, first: int) -> IntVector:
    if isinstance(part, range):
        return np.arange(part.start - first, part.stop - first, dtype=np.int64)
    return part - first


def stop_of(window: TrainTestSplit) -> int:
    """The row after the last that is fitted on or held out; a symbol may hold out none."""
    held_out = window.validation
    return int(held_out[-1] if len(held_out) else window.train[-1]) + 1


def fit_columns(features: FeatureMatrix, scaling: Scaling, train: Rows) -> ScaledColumns:
    """The scaling of some features and their quantiles, both of the train rows.

    Raises:
        InvalidBarsError: A train row is not finite.
    """
    return ScaledColumns(
        names=features.names,
        groups=tuple(columns for _, columns in features.symbol_columns),
        scaler=fit_scaler(scaling, features.values, train),
        build_quantiles=partial(column_quantiles, features.values[row_index(train)]),
    )


def pool_columns(
    history: FeatureHistory, symbol: str, fitted: Sequence[str], window: TrainTestSplit
) -> ScaledColumns:
    """The scaling of a symbol without train rows: by those of other symbols together.

    Args:
        history: Features of all bars, each model seeing its own symbol.
        symbol: The symbol.
        fitted: Those that have train rows, whose features are the same in the same order.
        window: Rows of the panel.
    """
    train = np.concatenate(
        [
            history.seen_by(other).features.values[
                row_index(history.own_split(other, window).train)
            ]
            for other in fitted
        ]
    )
    own = history.seen_by(symbol).features
    return ScaledColumns(
        names=own.names,
        groups=tuple(columns for _, columns in own.symbol_columns),
        scaler=history.scaling.fit(train),
        build_quantiles=partial(column_quantiles, train),
    )


def column_quantiles(values: Matrix) -> Matrix:
    """(q, k) quantiles of the columns at `QUANTILE_LEVELS`; no NaN.

    Args:
        values: (n, k) finite.
    """
    # Sorted first: NumPy partitions at a hundred places three times as long.
    return np.quantile(np.sort(values, axis=0), QUANTILE_LEVELS, axis=0)


def _scale_rows(
    columns: ScaledColumns, features: FeatureMatrix, rows: slice
) -> npt.NDArray[np.float32]:
    """(rows, k) of the features, finite; nothing after the rows is read.

    Raises:
        DataError: A value is not finite.
    """
    first = max(0, rows.start - columns.scaler.context)
    scaled = columns.scaler.transform(features.values[first : rows.stop])
    inputs = scaled[rows.start - first :]
    bad = np.argwhere(~np.isfinite(inputs))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            "a feature is not finite inside a window",
            expected="a number on every bar after the warm-up",
            found=f"{features.names[column]} = {inputs[row, column]}, {len(bad)} in all",
            where=f"bar {features.timestamps[rows.start + row]}",
            fix="check the bars around it, or leave the feature out",
        )
    return inputs.astype(np.float32)


def build_coarse_inputs(
    resolution: CoarseFeatures, scaling: Scaling, window: TrainTestSplit, lookback: int
) -> tuple[CoarseInputs, ScaledColumns]:
    """The inputs of one window at a coarser interval, and what scaled them.

    They are scaled by the coarse bars that became known from the close of the first train row to
    that of the last; where there are gaps between the train rows, by the bars that were the newest
    at one of them. Only the bars that sequences of train and validation rows need are kept.

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
    first, stop = int(window.train[0]) - lookback + 1, stop_of(window)
    latest, known = resolution.latest[first:stop], resolution.latest[row_index(window.train)]
    train = (
        range(int(known[0]), int(known[-1]) + 1)
        if isinstance(window.train, range)
        else np.unique(known)
    )
    rows = slice(int(known[0]) - lookback + 1, int(latest[-1]) + 1)
    columns = fit_columns(resolution.features, scaling, train)
    inputs = CoarseInputs(
        inputs=_scale_rows(columns, resolution.features, rows),
        latest=latest - rows.start,
        groups=columns.groups,
    )
    return inputs, columns

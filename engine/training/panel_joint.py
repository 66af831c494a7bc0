"""The arrays of a joint fit on a panel: absent symbols are NaN, which the networks leave out.

A sequence of a joint network is of consecutive rows of the panel. A symbol takes part at a row
where it has had a bar at each row of the sequence; elsewhere its inputs are NaN, it has no return
to be fitted on, and it is not forecast. So it is in a window in which it has too few train rows to
be scaled by. What its features are where it has no bar has no influence: they are made NaN.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.models.dataset import TrainingSet
from engine.models.fitted_model import InputTransform, ScaledColumns
from engine.splits.rows import row_index
from engine.splits.scaling import AffineScaler
from engine.training.absent_inputs import blank_absent
from engine.training.datasets import column_quantiles, fit_columns, target_returns
from engine.training.feature_history import column_of
from engine.training.joint import JointSymbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Matrix
    from engine.splits.rows import TrainTestSplit
    from engine.training.feature_history import FeatureHistory


def build_panel_joint_set(
    history: FeatureHistory,
    symbols: Sequence[str],
    window: TrainTestSplit,
    horizons: tuple[int, ...],
    lookback: int,
) -> tuple[TrainingSet, JointSymbols, Matrix] | None:
    """The arrays of one joint fit on a panel; as `build_joint_set`.

    Args:
        history: Features of these symbols alone, and their returns, with a panel.
        symbols: In the order of the features.
        window: Train and validation rows.
        horizons: Bars ahead, ascending.
        lookback: Bars before the first train row that the arrays begin with.

    Returns:
        None where no symbol has the rows for a fit.

    Raises:
        InvalidBarsError: A feature is not finite on a train row.
    """
    panel = history.panel
    assert panel is not None
    fitted = [symbol for symbol in symbols if history.fits_alone(symbol, window)]
    if not fitted:
        return None
    first, stop = int(window.train[0]) - lookback + 1, int(window.validation[-1]) + 1
    columns = _fit_columns_of(history, symbols, fitted, window)
    values = hide_absent(history, slice(first, stop))
    target = np.full((stop - first, len(symbols), len(horizons)), np.nan)
    parts: dict[str, list[IntVector]] = {"train": [], "validation": []}
    for place, symbol in enumerate(symbols):
        if symbol not in fitted:
            continue
        seen, own = history.seen_in(symbol, window), history.own_split(symbol, window)
        for part, found in parts.items():
            rows = panel.place(symbol, getattr(own, part)) - first
            returns = target_returns(seen, symbol, row_index(getattr(own, part)), horizons)
            target[rows, place] = returns.reshape(len(rows), len(horizons))
            found.append(rows)
    flat: Matrix = target.reshape(stop - first, -1)
    train, validation = (np.unique(np.concatenate(rows)) for rows in parts.values())
    arrays = TrainingSet(
        inputs=columns.scale(values),
        target=flat,
        trailing=column_of(history.trailing_returns[horizons[0]], symbols[0])[first:stop],
        groups=columns.groups,
        train=train.astype(np.int64),
        validation=validation.astype(np.int64),
        horizons=horizons,
        symbols=(*symbols,),
    )
    transform = InputTransform(
        symbols[0], horizons, recursive=False, columns=columns, symbols=(*symbols,)
    )
    return arrays, JointSymbols((*symbols,), transform), flat[validation]


def hide_absent(history: FeatureHistory, rows: slice) -> Matrix:
    """(rows, k) the features, NaN in all columns of a symbol that lacks one of them or its bar."""
    panel = history.panel
    assert panel is not None
    present = panel.present.to_numpy()[rows]
    columns = history.features.symbol_columns
    return blank_absent(history.features.values[rows], [own for _, own in columns], present)


def _fit_columns_of(
    history: FeatureHistory,
    symbols: Sequence[str],
    fitted: Sequence[str],
    window: TrainTestSplit,
) -> ScaledColumns:
    """Each symbol's columns scaled by its own train rows; NaN of one that is not fitted."""
    parts = {}
    for symbol in fitted:
        own = history.seen_by(symbol).features
        parts[symbol] = fit_columns(own, history.scaling, history.own_split(symbol, window).train)
    scalers = [part.scaler for part in parts.values()]
    assert all(isinstance(scaler, AffineScaler) for scaler in scalers)
    width = len(history.features.names) // len(symbols)
    unknown = np.full(width, np.nan)

    def joined(name: str) -> Matrix:
        own = {symbol: part.scaler.to_arrays()[name] for symbol, part in parts.items()}
        return np.concatenate([own.get(symbol, unknown) for symbol in symbols])

    offset = float(scalers[0].to_arrays()["offset"][0])
    return ScaledColumns(
        names=history.features.names,
        groups=tuple(columns for _, columns in history.features.symbol_columns),
        scaler=AffineScaler(joined("centre"), joined("scale"), offset),
        build_quantiles=partial(_quantiles_of, history, symbols, fitted, window),
    )


def _quantiles_of(
    history: FeatureHistory,
    symbols: Sequence[str],
    fitted: Sequence[str],
    window: TrainTestSplit,
) -> Matrix:
    """Those of each symbol's train rows; of one that is not fitted NaN."""
    width = len(history.features.names) // len(symbols)
    parts = []
    for symbol in symbols:
        train = row_index(history.own_split(symbol, window).train)
        own = history.seen_by(symbol).features.values[train]
        parts.append(column_quantiles(own) if symbol in fitted else np.full((101, width), np.nan))
    return np.concatenate(parts, axis=1)

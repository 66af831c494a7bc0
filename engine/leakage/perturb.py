"""Replaces values that depend on bars after the cutoff and are therefore not compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector, WideFrame
    from engine.features.resolutions import CoarseFeatures
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.feature_history import FeatureHistory
    from engine.training.forecast import Forecast

_MIN_DEVIATION = 1e-4
"""Shift of forecasts that do not vary: a basis point."""


def perturb_forecast(
    outcome: Forecast | TrainingError, window: WalkForwardWindow, row: int, *, up: bool
) -> Forecast | TrainingError:
    """Keeps forecasts up to `row` and replaces later ones by high (`up`) or low values.

    Of a window whose test part begins after `row` everything is another one: train and validation
    rows too, whose labels are not all known yet. A fit that was left out stays so.
    """
    if isinstance(outcome, TrainingError) or row >= window.test.stop - 1:
        return outcome
    kept = max(0, row + 1 - window.test.start)
    quantiles = outcome.quantiles
    if quantiles is not None:  # reversed, so that they still ascend
        quantiles = np.concatenate([quantiles[:kept], _move_away(quantiles[kept:], up)[..., ::-1]])
    later = replace(
        outcome,
        test=np.concatenate([outcome.test[:kept], _move_away(outcome.test[kept:], up)]),
        quantiles=quantiles,
    )
    if kept:
        return later
    return replace(
        later, train=_move_away(outcome.train, up), validation=_move_away(outcome.validation, up)
    )


def perturb_features(history: FeatureHistory, row: int) -> FeatureHistory:
    """Keeps what is known at the close of `row`; every later value leaves the range of its column.

    Forward returns are kept: no forecast may read them.
    """
    moved = perturb_feature_rows(history, slice(row + 1, None))
    return replace(
        moved,
        coarse=tuple(_perturb_coarse(each, int(each.latest[row])) for each in history.coarse),
    )


def _perturb_coarse(coarse: CoarseFeatures, newest: int) -> CoarseFeatures:
    values = _out_of_range(coarse.features.values, slice(newest + 1, None))
    return replace(coarse, features=replace(coarse.features, values=values))


def perturb_feature_rows(history: FeatureHistory, rows: IntVector | slice) -> FeatureHistory:
    """Values of some rows leave the range of their column; coarser bars are kept."""
    values = _out_of_range(history.features.values, rows)
    trailing = {
        bars: pd.DataFrame(_out_of_range(behind.to_numpy(), rows), behind.index, behind.columns)
        for bars, behind in history.trailing_returns.items()
    }
    return replace(
        history,
        features=replace(history.features, values=values),
        trailing_returns=trailing,
    )


def perturb_forward_returns(history: FeatureHistory) -> FeatureHistory:
    """Every return to come is of the other sign and twice as large; no forecast may read one."""
    ahead = {
        bars: pd.DataFrame(_turn_round(wide.to_numpy()), wide.index, wide.columns)
        for bars, wide in history.forward_returns.items()
    }
    return replace(history, forward_returns=ahead)


def _turn_round(values: Matrix) -> Matrix:
    return np.where(values == 0.0, _MIN_DEVIATION, -2.0 * values)


def _out_of_range(values: Matrix, rows: IntVector | slice) -> Matrix:
    """Some rows moved by twice the range of their column; NaN stays."""
    known = np.where(np.isfinite(values), values, 0.0)
    moved = values.copy()
    moved[rows] += 2.0 * (np.ptp(known, axis=0) if len(values) else 0.0) + _MIN_DEVIATION
    return moved


def perturb_weights(weights: WideFrame, n_kept: int) -> WideFrame:
    """The first `n_kept` rows unchanged, and weights that differ from the original ones after.

    A position becomes half of it on the other side; no position becomes half a position.
    """
    values = weights.to_numpy(dtype=np.float64, copy=True)
    late = values[n_kept:]
    values[n_kept:] = np.where(late == 0.0, 0.5 / values.shape[1], -0.5 * late)
    return pd.DataFrame(values, index=weights.index, columns=weights.columns)


def _move_away(values: Vector, up: bool) -> Vector:
    """Negated and shifted by their range; every value differs, and none is missing."""
    known = values[np.isfinite(values)]
    step = (float(known.max() - known.min()) if known.size else 0.0) or _MIN_DEVIATION
    step = step if up else -step
    moved = step - values
    moved[moved == values] += step
    return np.where(np.isfinite(moved), moved, step)

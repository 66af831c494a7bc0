"""What is free after a cut, and therefore never what the run made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from engine.core.types import Vector, WideFrame
    from engine.models import Forecast
    from engine.splits.walk_forward import WalkForwardWindow

_MIN_DEVIATION = 1e-4
"""How far forecasts move that are all the same: a basis point."""


def perturb_forecast(
    outcome: Forecast | TrainingError, window: WalkForwardWindow, row: int, *, up: bool
) -> Forecast | TrainingError:
    """The same forecasts on bars up to `row`, others after it, high if `up` or low.

    Of a window whose test part begins after `row` everything is another one: train and validation
    rows too, whose labels are not all known yet. A fit that was left out stays so.
    """
    if isinstance(outcome, TrainingError) or row >= window.test.stop - 1:
        return outcome
    kept = max(0, row + 1 - window.test.start)
    quantiles = outcome.quantiles
    if quantiles is not None:  # turned round, so that they still ascend
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


def perturb_weights(weights: WideFrame, n_kept: int) -> WideFrame:
    """The first `n_kept` rows unchanged, and weights that differ from the original ones after.

    In becomes half of it the other way round, out becomes half in.
    """
    values = weights.to_numpy(dtype=np.float64, copy=True)
    late = values[n_kept:]
    values[n_kept:] = np.where(late == 0.0, 0.5 / values.shape[1], -0.5 * late)
    return pd.DataFrame(values, index=weights.index, columns=weights.columns)


def _move_away(values: Vector, up: bool) -> Vector:
    """Turned round zero and three deviations up or down; no value is what it was."""
    step = 3.0 * (float(np.std(values)) or _MIN_DEVIATION) * (1.0 if up else -1.0)
    moved = step - values
    return np.where(moved == values, moved + step, moved)

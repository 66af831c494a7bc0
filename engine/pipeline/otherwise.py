"""What is free after a cut, and therefore never what the run made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.errors import RefitError

if TYPE_CHECKING:
    from engine.models import Forecast
    from engine.types import Vector, WideFrame
    from engine.windows.walk_forward import Window

_SMALL = 1e-4
"""How far forecasts move that are all the same: a basis point."""


def forecast_otherwise(
    outcome: Forecast | RefitError, window: Window, row: int, *, up: bool
) -> Forecast | RefitError:
    """The same forecasts on bars up to `row`, others after it, high if `up` or low.

    Of a window whose test part begins after `row` everything is another one: train and validation
    rows too, whose labels are not all known yet. A fit that was left out stays so.
    """
    if isinstance(outcome, RefitError) or row >= window.test.stop - 1:
        return outcome
    kept = max(0, row + 1 - window.test.start)
    quantiles = outcome.quantiles
    if quantiles is not None:  # turned round, so that they still ascend
        quantiles = np.concatenate([quantiles[:kept], _elsewhere(quantiles[kept:], up)[..., ::-1]])
    later = replace(
        outcome,
        test=np.concatenate([outcome.test[:kept], _elsewhere(outcome.test[kept:], up)]),
        quantiles=quantiles,
    )
    if kept:
        return later
    return replace(
        later, train=_elsewhere(outcome.train, up), validation=_elsewhere(outcome.validation, up)
    )


def decisions_otherwise(weights: WideFrame, kept: int) -> WideFrame:
    """The first `kept` rows as they are, from there on weights that differ from row to row's own.

    In becomes half of it the other way round, out becomes half in.
    """
    values = weights.to_numpy(dtype=np.float64, copy=True)
    late = values[kept:]
    values[kept:] = np.where(late == 0.0, 0.5 / values.shape[1], -0.5 * late)
    return pd.DataFrame(values, index=weights.index, columns=weights.columns)


def _elsewhere(values: Vector, up: bool) -> Vector:
    """Turned round zero and three deviations up or down; no value is what it was."""
    step = 3.0 * (float(np.std(values)) or _SMALL) * (1.0 if up else -1.0)
    moved = step - values
    return np.where(moved == values, moved + step, moved)

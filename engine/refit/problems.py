"""From the whole history to one window's arrays, with nothing in them from after the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import DataError
from engine.models import Problem
from engine.windows.scaling import fit_scaler

if TYPE_CHECKING:
    from engine.features.build import Features
    from engine.types import Rows, WideFrame
    from engine.windows.spec import Scaling
    from engine.windows.walk_forward import Window


@dataclass(frozen=True)
class History:
    """Everything the windows are cut from; rows are the market's bars.

    Attributes:
        features: What is known at each close.
        ahead: Wide: return over the next `horizon` bars, NaN where not known yet.
        behind: Wide: return over the last `horizon` bars.
        horizon: Bars.
        scaling: Of the features, fitted on each window's train rows.
    """

    features: Features
    ahead: WideFrame
    behind: WideFrame
    horizon: int
    scaling: Scaling


def problem_of(history: History, symbol: str, window: Window, lookback: int) -> Problem:
    """One window's arrays, scaled by its train rows.

    Args:
        history: Everything.
        symbol: Whose return is forecast.
        window: Train, validation and test rows.
        lookback: Bars in a sequence; the arrays start that many before the first train row.

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
    """
    first = window.train.start - lookback + 1
    rows = slice(first, window.test.stop)
    scaler = fit_scaler(history.scaling, history.features.values, window.train)
    inputs = scaler.transform(history.features.values[: window.test.stop])[rows]
    _insist_finite(inputs, first, history)
    known = np.arange(first, window.test.stop) < window.validation.stop
    ahead = history.ahead[symbol].to_numpy()[rows]
    return Problem(
        inputs=inputs.astype(np.float32),
        target=np.where(known, ahead, np.nan),
        trailing=history.behind[symbol].to_numpy()[rows],
        groups=tuple(columns for _, columns in history.features.groups),
        train=_rows(window.train, first),
        validation=_rows(window.validation, first),
        test=_rows(window.test, first),
        horizons=(history.horizon,),
    )


def _rows(part: range, first: int) -> Rows:
    return np.arange(part.start - first, part.stop - first, dtype=np.int64)


def _insist_finite(inputs: np.ndarray, first: int, history: History) -> None:
    bad = np.argwhere(~np.isfinite(inputs))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            "a feature is not finite inside a window",
            expected="a number on every bar after the warm-up",
            found=f"{history.features.names[column]} = {inputs[row, column]}, {len(bad)} in all",
            where=f"bar {history.features.timestamps[first + row]}",
            fix="check the bars around it, or leave the feature out",
        )

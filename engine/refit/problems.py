"""From the whole history to one window's arrays, with nothing in them from after the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.models import Problem
from engine.refit.inputs import coarse_inputs, scaled

if TYPE_CHECKING:
    from engine.features.build import Features
    from engine.features.resolutions import CoarseFeatures
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
        coarse: What is known at each close of coarser intervals.
    """

    features: Features
    ahead: WideFrame
    behind: WideFrame
    horizon: int
    scaling: Scaling
    coarse: tuple[CoarseFeatures, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all features, the bars' own and then those of coarser intervals."""
        coarse = (name for resolution in self.coarse for name in resolution.features.names)
        return (*self.features.names, *coarse)


def problem_of(history: History, symbol: str, window: Window, lookback: int) -> Problem:
    """One window's arrays, scaled by its train rows.

    Args:
        history: Everything.
        symbol: Whose return is forecast.
        window: Train, validation and test rows.
        lookback: Bars in a sequence; the arrays start that many before the first train row.

    Raises:
        DataError: A feature is not finite on a row that a sequence touches.
        BadBarsError: It is on a train row.
    """
    first = window.train.start - lookback + 1
    rows = slice(first, window.test.stop)
    known = np.arange(first, window.test.stop) < window.validation.stop
    ahead = history.ahead[symbol].to_numpy()[rows]
    return Problem(
        inputs=scaled(history.features, history.scaling, window.train, rows),
        target=np.where(known, ahead, np.nan),
        trailing=history.behind[symbol].to_numpy()[rows],
        groups=tuple(columns for _, columns in history.features.groups),
        train=_rows(window.train, first),
        validation=_rows(window.validation, first),
        test=_rows(window.test, first),
        coarse=tuple(
            coarse_inputs(resolution, history.scaling, window, lookback)
            for resolution in history.coarse
        ),
    )


def _rows(part: range, first: int) -> Rows:
    return np.arange(part.start - first, part.stop - first, dtype=np.int64)

"""From the whole history to one window's arrays, with nothing in them from after the window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.models import Problem
from engine.refit.inputs import coarse_inputs, scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.features.build import Features
    from engine.features.resolutions import CoarseFeatures
    from engine.features.spec import TargetSpec
    from engine.types import Matrix, Rows, Vector, WideFrame
    from engine.windows.spec import Scaling
    from engine.windows.walk_forward import Window


@dataclass(frozen=True)
class History:
    """Everything the windows are cut from; rows are the market's bars.

    Attributes:
        features: What is known at each close.
        ahead: Horizon -> wide: return over the next `horizon` bars, NaN where not known yet.
        behind: Horizon -> wide: return over the last `horizon` bars.
        target: Which horizons are forecast, and how; `ahead` and `behind` hold all of them.
        scaling: Of the features, fitted on each window's train rows.
        coarse: What is known at each close of coarser intervals.
    """

    features: Features
    ahead: Mapping[int, WideFrame]
    behind: Mapping[int, WideFrame]
    target: TargetSpec
    scaling: Scaling
    coarse: tuple[CoarseFeatures, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all features, the bars' own and then those of coarser intervals."""
        coarse = (name for resolution in self.coarse for name in resolution.features.names)
        return (*self.features.names, *coarse)


def problem_of(history: History, symbol: str, window: Window, lookback: int) -> Problem:
    """One window's arrays for the horizon that is traded, scaled by its train rows.

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
    horizon = history.target.horizon
    return Problem(
        inputs=scaled(history.features, history.scaling, window.train, rows),
        target=_ahead(history, symbol, window, rows, (horizon,)),
        trailing=history.behind[horizon][symbol].to_numpy()[rows],
        groups=tuple(columns for _, columns in history.features.groups),
        train=_rows(window.train, first),
        validation=_rows(window.validation, first),
        test=_rows(window.test, first),
        horizons=(horizon,),
        coarse=tuple(
            coarse_inputs(resolution, history.scaling, window, lookback)
            for resolution in history.coarse
        ),
    )


def for_horizons(
    problem: Problem,
    history: History,
    symbol: str,
    window: Window,
    horizons: tuple[int, ...],
    *,
    recursive: bool = False,
) -> Problem:
    """The same rows and the same inputs, of which there is one copy, with another target.

    Args:
        problem: Of the same history, symbol and window.
        history: Everything.
        symbol: Whose return is forecast.
        window: Its rows.
        horizons: Bars ahead, ascending.
        recursive: Learn the next bar alone, and reach the horizons over its forecasts.
    """
    rows = slice(window.test.stop - len(problem.inputs), window.test.stop)
    return replace(
        problem,
        target=_ahead(history, symbol, window, rows, (1,) if recursive else horizons),
        trailing=history.behind[horizons[0]][symbol].to_numpy()[rows],
        horizons=horizons,
        recursive=recursive,
    )


def _ahead(
    history: History, symbol: str, window: Window, rows: slice, horizons: tuple[int, ...]
) -> Vector | Matrix:
    """(n,) returns to learn, or (n, m) of several horizons; NaN from the validation's end on.

    The purge is the longest horizon's, so that every row before has all of its returns.
    """
    known = np.arange(rows.start, rows.stop) < window.validation.stop
    columns = [
        np.where(known, history.ahead[bars][symbol].to_numpy()[rows], np.nan) for bars in horizons
    ]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _rows(part: range, first: int) -> Rows:
    return np.arange(part.start - first, part.stop - first, dtype=np.int64)

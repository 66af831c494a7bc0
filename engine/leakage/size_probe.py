"""Asks the engine's own sizings at every out-of-sample bar whether they know a later one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import LookaheadError
from engine.core.part_origin import is_built_in
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.rounding import ROUNDING

if TYPE_CHECKING:
    from engine.core.types import IntVector, WideFrame
    from engine.signals.decision_levels import DecisionSpec
    from engine.signals.inputs import SignalInputs

MOST_CLOSES = 64
"""Closes that a size is computed from, up to which every bar is asked."""

_LEVEL = 2.0
"""Factor on closes from an altered row on: a power of two keeps the bits of returns."""


def check_sizes(
    book: str, spec: DecisionSpec, forecasts: SignalInputs, close: WideFrame, first: int
) -> None:
    """Computes the size at every bar before another next bar.

    With w closes behind a size, each of w + 1 times other rows are altered, every (w + 1)th one:
    its forecast, and the level of the closes from it on. The size at the row before has to stay.

    Args:
        book: Whose forecasts these are.
        spec: How they become weights.
        forecasts: n out-of-sample bars.
        close: All bars of the symbols that are forecast.
        first: Row of the first out-of-sample bar in `close`.

    Raises:
        LookaheadError: The first size that differs.
    """
    needed = spec.sizing.closes_needed
    if needed is None or needed > MOST_CLOSES or not is_built_in(type(spec.sizing)):
        return
    spacing, count = max(2, needed + 1), len(forecasts.predicted)
    real = spec.sizing.compute_sizes(forecasts, close, spec.periods_per_year)
    for turn in range(spacing):
        altered = np.arange(1 + turn, count, spacing)
        if not len(altered):
            continue
        other = spec.sizing.compute_sizes(
            _alter_forecasts(forecasts, altered),
            _shift_level(close, first + altered),
            spec.periods_per_year,
        )
        found, due = (sizes.to_numpy()[altered - 1] for sizes in (real, other))
        same = np.isclose(found, due, rtol=ROUNDING, atol=0.0, equal_nan=True)
        if not same.all():
            place, column = np.argwhere(~same)[0].tolist()
            raise _size_error(
                f"{book} {real.columns[column]}",
                real.index[altered[place] - 1],
                (float(found[place, column]), float(due[place, column])),
            )


def _alter_forecasts(forecasts: SignalInputs, rows: IntVector) -> SignalInputs:
    """Other forecasts at some rows; their quantiles move with them."""

    def moved(wide: WideFrame) -> WideFrame:
        values = wide.to_numpy(dtype=np.float64, copy=True)
        values[rows] = -2.0 * values[rows] + 0.01
        return pd.DataFrame(values, wide.index, wide.columns)

    return replace(
        forecasts,
        predicted=moved(forecasts.predicted),
        quantiles={level: moved(wide) for level, wide in forecasts.quantiles.items()},
    )


def _shift_level(close: WideFrame, rows: IntVector) -> WideFrame:
    """Closes that stand at another level from each row on, up and down in turn."""
    begun = np.zeros(len(close), dtype=np.int64)
    begun[rows] = 1
    factor = np.where(np.cumsum(begun) % 2 == 1, _LEVEL, 1.0)
    return pd.DataFrame(close.to_numpy() * factor[:, None], close.index, close.columns)


def _size_error(name: str, bar: pd.Timestamp, sizes: tuple[float, float]) -> LookaheadError:
    found, due = sizes
    return LookaheadError(
        f"Look-ahead: the size of {name} at {format_bar(bar)} knows what comes after it",
        expected="a size from its forecasts and the closes up to it",
        found=f"{found:.10g} from the real bars, {due:.10g} with another bar after it",
        where=f"positions: {name} at {format_bar(bar)}",
        fix=FIXES["positions"],
    )

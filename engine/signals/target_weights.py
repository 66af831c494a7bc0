"""Predicted return to target weight, decided at each close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.part_origin import is_built_in
from engine.signals.contract import check_sizes
from engine.signals.hysteresis import apply_hysteresis
from engine.signals.thresholds import compute_window_thresholds

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import WideFrame
    from engine.signals.inputs import SignalInputs
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec


def compute_target_weights(
    forecasts: SignalInputs,
    close: WideFrame,
    signal: ThresholdSpec,
    sizing: SizingSpec,
    *,
    round_trip_cost: float,
    periods_per_year: float,
    max_weight: float,
) -> WideFrame:
    """The weights decided at each out-of-sample close, from what is known there.

    A position goes on over the border of two windows, judged by the new window's levels. Where
    nothing is forecast nothing is held, and the stance begins anew behind it. A position's
    size is set at the close that enters or turns it and kept until it is left.

    Args:
        forecasts: n out-of-sample bars of m target symbols.
        close: All bars, at least the target symbols.
        signal: Where positions begin and end.
        sizing: How large they are.
        round_trip_cost: Cost of going in and out again, a fraction of the traded value.
        periods_per_year: Bars a year.
        max_weight: Limit of the sum of |weight| over the symbols; each may take an m-th of it.

    Returns:
        Shape (n, m), without NaN: 1.0 is all of the equity, negative is short.
    """
    predicted = forecasts.predicted
    stances = pd.DataFrame(index=predicted.index, columns=predicted.columns, dtype="float64")
    for symbol in predicted.columns:
        by_window = compute_window_thresholds(signal, forecasts, symbol, round_trip_cost)
        for rows in _contiguous_slices(np.isfinite(predicted[symbol].to_numpy())):
            by_row = (by_window[window] for window in forecasts.window[rows].tolist())
            held = apply_hysteresis(predicted[symbol].to_numpy()[rows], by_row, signal.side)
            stances.loc[stances.index[rows], symbol] = held
    stances = stances.fillna(0.0)
    sizes = sizing.compute_sizes(forecasts, close, periods_per_year)
    if not is_built_in(type(sizing)):
        check_sizes(sizing, forecasts, sizes)
    sizes = sizes.clip(upper=max_weight)
    entered = stances.ne(stances.shift(fill_value=0.0)) & stances.ne(0.0)
    kept = sizes.where(entered).ffill().fillna(0.0)
    return stances * kept / np.float64(len(predicted.columns))


def _contiguous_slices(mask: npt.NDArray[np.bool_]) -> list[slice]:
    """Runs of rows that are there."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True)]

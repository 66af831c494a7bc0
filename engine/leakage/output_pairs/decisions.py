"""Pairs of thresholds and target weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.leakage.comparison import BarRows, OutputPair
from engine.signals.inputs import SignalInputs
from engine.signals.thresholds import compute_window_thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from engine.core.types import WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.signals.hysteresis import EntryExitThresholds
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions
from engine.leakage.output_pairs.frames import pair_frames


def pair_thresholds(
    book: str,
    original: Predictions,
    perturbed: Predictions,
    spec: Strategy,
    prepared: PreparedData,
    windows: Sequence[WalkForwardWindow],
) -> Iterator[OutputPair]:
    """A book's thresholds in some windows, and the predictions they come from."""
    stamps = prepared.feature_history.features.timestamps
    for window in windows:
        for kind in ("train", "validation"):
            attribute = "train_predictions" if kind == "train" else "validation_residuals"
            rows: range = getattr(window, kind)
            for symbol, values in getattr(original, attribute).get(window.index, {}).items():
                yield OutputPair(
                    "thresholds",
                    (f"{book} {symbol} window {window.index}: predictions on {kind} rows",),
                    BarRows(stamps, rows)
                    if prepared.feature_history.panel is None
                    else BarRows(stamps, np.full(len(values), rows.stop - 1)),
                    values,
                    getattr(perturbed, attribute)[window.index][symbol],
                )
    if not windows:
        return
    chosen = [window.index for window in windows]
    inputs = [_threshold_inputs(result, chosen) for result in (original, perturbed)]
    for symbol in prepared.targets:
        one, two = (_window_thresholds(spec, known, symbol) for known in inputs)
        there = [window for window in windows if window.index in one]
        yield OutputPair(
            "thresholds",
            tuple(f"{book} {symbol}: {side}" for side in ("enter", "exit", "short", "cover")),
            BarRows(stamps, np.array([window.test.start for window in there])),
            np.array([one[window.index] for window in there]).reshape(-1, 4),
            np.array([two[window.index] for window in there]).reshape(-1, 4),
        )


def pair_own_thresholds(
    book: str, predictions: Predictions, spec: Strategy, prepared: PreparedData
) -> Iterator[OutputPair]:
    """A book's thresholds of every window, and those of its own train predictions alone."""
    stamps, known = prepared.feature_history.features.timestamps, predictions.train_predictions
    inputs = _threshold_inputs(predictions, [window.index for window in prepared.windows])
    for symbol in prepared.targets:
        windows = [w for w in prepared.windows if symbol in known.get(w.index, {})]
        chosen = [window.index for window in windows]
        found = _window_thresholds(spec, inputs, symbol)
        cost = spec.costs.round_trip_cost
        own = [spec.signal.compute_thresholds(known[index][symbol], cost) for index in chosen]
        yield OutputPair(
            "thresholds",
            tuple(f"{book} {symbol}: {side}" for side in ("enter", "exit", "short", "cover")),
            BarRows(stamps, np.array([window.test.start for window in windows])),
            np.array([found[index] for index in chosen]).reshape(-1, 4),
            np.array([_in_order(level) for level in own]).reshape(-1, 4),
        )


def _threshold_inputs(predictions: Predictions, windows: Sequence[int]) -> SignalInputs:
    """What thresholds of some windows are made of."""
    known = predictions.train_predictions
    chosen = {index: known[index] for index in windows if index in known}
    return SignalInputs.from_predictions(replace(predictions, train_predictions=chosen))


def _window_thresholds(
    spec: Strategy, forecasts: SignalInputs, symbol: str
) -> dict[int, tuple[float, float, float, float]]:
    by_window = compute_window_thresholds(
        spec.signal, forecasts, symbol, spec.costs.round_trip_cost
    )
    return {window: _in_order(level) for window, level in by_window.items()}


def _in_order(level: EntryExitThresholds) -> tuple[float, float, float, float]:
    return (level.enter, level.exit, level.enter_short, level.exit_short)


def pair_positions(
    original: Mapping[str, WideFrame], perturbed: Mapping[str, WideFrame], bars: pd.DatetimeIndex
) -> Iterator[OutputPair]:
    """The weights of every book of `perturbed` on the first `bars`."""
    for book, weights in perturbed.items():
        names = tuple(f"{book} {symbol}" for symbol in weights)
        yield pair_frames("positions", names, bars, original[book], weights)

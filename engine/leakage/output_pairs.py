"""Pairs of outputs, from the real and from altered bars, that have to be equal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import LookaheadError
from engine.leakage.comparison import FIXES, BarRows, OutputPair
from engine.signals.inputs import SignalInputs
from engine.signals.thresholds import compute_window_thresholds
from engine.simulation.cost_rates import KNOWN_AT_CLOSE, RATE_NAMES
from engine.training.datasets import stop_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.core.types import IntVector, WideFrame
    from engine.leakage.comparison import ComparedStage
    from engine.models import TrainingSet
    from engine.pipeline.prepare import PreparedData
    from engine.signals.hysteresis import EntryExitThresholds
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import CostModel
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.datasets import FeatureHistory
    from engine.training.forecast import Forecast
    from engine.training.out_of_sample import Predictions
    from engine.training.panel_rows import PanelRows
    from engine.training.task import FitTask


def pair_prepared_data(
    original: PreparedData, perturbed: PreparedData, row: int
) -> Iterator[OutputPair]:
    """Windows, features, coarser features, labels and rates, as far as known at `row`.

    A label over h bars is known h bars after its own. A coarser bar stands at the base bar that
    makes it known. Rates are compared where they are read from files.
    """
    yield pair_windows(original, perturbed)
    yield from pair_histories(original.feature_history, perturbed.feature_history, row)
    yield from pair_rates(original, perturbed, row)


def pair_windows(original: PreparedData, perturbed: PreparedData) -> OutputPair:
    """The edges of all windows, which depend on times alone."""
    stamps = original.feature_history.features.timestamps
    return OutputPair(
        "windows",
        ("train start", "train stop", "validation start", "validation stop", "test start", "stop"),
        BarRows(stamps, np.array([window.test.start for window in original.windows])),
        window_edges(original.windows),
        window_edges(perturbed.windows),
    )


def pair_rates(original: PreparedData, perturbed: PreparedData, row: int) -> Iterator[OutputPair]:
    """Interest rates up to a row, where they are read from files."""
    stamps = original.feature_history.features.timestamps
    if original.rates.files:
        yield _pair_frames(
            "rates",
            ("risk-free rate", "yield on cash"),
            BarRows(stamps, range(original.tested.start, row + 1)),
            original.rates_by_bar.to_frame(),
            perturbed.rates_by_bar.to_frame(),
        )


def pair_cost_rates(
    model: CostModel,
    original: CostRates,
    perturbed: CostRates,
    row: int,
    *,
    panel: bool = False,
) -> Iterator[OutputPair]:
    """What fills pay up to the bar after `row`, and what the bars up to `row` can fill.

    A fill at that next bar is charged by what is known at the close before it. How much of an
    order the bar can fill is a fact of the bar itself, which no decision knows, as whether
    anything trades at it is; and the borrow rate of a bar is paid after its close. The models of
    users that do not say `known_before_fill` may charge by the whole bar of the fill. Of a history
    that ends at `row` no later bar is compared; nor is it of a panel, of which another symbol may
    have that bar.
    """
    if not model.known_before_fill:
        return
    for name in RATE_NAMES:
        one, two = getattr(original, name), getattr(perturbed, name)
        if isinstance(one, pd.DataFrame) and isinstance(two, pd.DataFrame):
            is_known = panel or name in KNOWN_AT_CLOSE
            rows = min(row + (1 if is_known else 2), len(two))
            known = pd.DatetimeIndex(one.index)[:rows]
            names = tuple(f"{name} of {symbol}" for symbol in one)
            yield _pair_frames("costs", names, known, one, two)


def pair_histories(one: FeatureHistory, two: FeatureHistory, row: int) -> Iterator[OutputPair]:
    """Features, trailing returns, coarser features and labels, as far as known at `row`.

    Args:
        one: From the real bars.
        two: From bars that are altered, or end, after `row`.
        row: The last bar that both have in common.
    """
    stamps = one.features.timestamps
    known, last = slice(0, row + 1), BarRows(stamps, range(row + 1))
    yield OutputPair(
        "features",
        one.features.names,
        last,
        one.features.values[known],
        two.features.values[known],
    )
    for bars, behind in one.trailing_returns.items():
        names = tuple(f"{symbol}: return over the last {_format_bars(bars)}" for symbol in behind)
        yield _pair_frames("features", names, last, behind, two.trailing_returns[bars])
    for own, other_forecast in zip(one.coarse, two.coarse, strict=True):
        yield OutputPair(
            "resolutions",
            (f"{own.interval} bars known",),
            last,
            own.latest[known],
            other_forecast.latest[known],
        )
        complete = slice(0, int(own.latest[row]) + 1)
        when = own.latest[known].searchsorted(np.arange(complete.stop))
        yield OutputPair(
            "resolutions",
            own.features.names,
            BarRows(stamps, when),
            own.features.values[complete],
            other_forecast.features.values[complete],
        )
    for bars, ahead in one.forward_returns.items():
        names = tuple(f"{symbol}: return over the next {_format_bars(bars)}" for symbol in ahead)
        later = two.forward_returns[bars]
        if one.panel is not None:
            ahead, later = (_known_labels(one.panel, each, bars, row) for each in (ahead, later))
        yield _pair_frames(
            "labels",
            names,
            BarRows(stamps, range(max(0, row + 1 - bars))),
            ahead,
            later,
        )


def _known_labels(panel: PanelRows, ahead: WideFrame, bars: int, row: int) -> WideFrame:
    """The labels that are known at a row: over a halt, own bars end later than those of others."""
    values = np.full((row + 1, ahead.shape[1]), np.nan)
    for place, symbol in enumerate(ahead.columns):
        own = panel.own_rows(symbol)
        known = own[: max(int((own <= row).sum()) - bars, 0)]
        values[known, place] = ahead.to_numpy()[known, place]
    return pd.DataFrame(values, columns=ahead.columns)


def _format_bars(count: int) -> str:
    return "bar" if count == 1 else f"{count} bars"


def window_edges(windows: Sequence[WalkForwardWindow]) -> IntVector:
    """(w, 6) first row and the row after the last of train, validation and test parts."""
    return np.array(
        [
            [edge for part in (w.train, w.validation, w.test) for edge in (part.start, part.stop)]
            for w in windows
        ],
        dtype=np.int64,
    )


def _pair_frames(
    stage: ComparedStage,
    names: tuple[str, ...],
    bars: BarRows | pd.DatetimeIndex,
    original: WideFrame,
    perturbed: WideFrame,
) -> OutputPair:
    """The first rows of two frames, as many as there are bars."""
    one, two = (frame.to_numpy()[: len(bars)] for frame in (original, perturbed))
    return OutputPair(stage, names, bars, one, two)


def pair_task_arrays(
    original: FitTask,
    perturbed: FitTask,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One window's training set, which is known before its first test bar.

    Equal arrays, with the same model and seed, are the same key and so the same fit.
    """
    for (symbol, one), (_, two) in zip(_by_symbol(original), _by_symbol(perturbed), strict=True):
        yield from _pair_arrays(symbol, one, two, window, prepared)


def _by_symbol(task: FitTask) -> Iterator[tuple[str, TrainingSet]]:
    if task.pool is None:
        yield task.symbol, task.training_set
    else:
        yield from task.pool.split(task.training_set)


def _pair_arrays(
    symbol: str,
    one: TrainingSet,
    two: TrainingSet,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """The arrays of one symbol, or of all symbols of a joint fit."""
    history = prepared.feature_history
    if history.panel is not None:
        yield _pair_counts(symbol, one, two, window, prepared)
        if not len(one.train):
            return
    split = history.own_split(symbol, window)
    if not one.symbols:
        history = history.seen_by(symbol)
    first = stop_of(split) + one.recursive - len(one.inputs)
    stamps = history.features.timestamps
    bars = BarRows(stamps, range(first, first + len(one.inputs)))
    where = f" in window {window.index}"
    names = tuple(name + where for name in history.features.names)
    yield OutputPair("scaled inputs", names, bars, one.inputs, two.inputs)
    for fine, own, other in zip(history.coarse, one.coarse, two.coarse, strict=True):
        names = tuple(name + where for name in fine.features.names)
        when = first + own.latest.searchsorted(np.arange(len(own.inputs)))
        coarse_bars = BarRows(stamps, when)
        yield OutputPair("scaled inputs", names, coarse_bars, own.inputs, other.inputs)
        name = f"{fine.interval} bars known{where}"
        yield OutputPair("training arrays", (name,), bars, own.latest, other.latest)
    names = tuple(
        f"{each}: return over the next {_format_bars(bars)}{where}"
        for each in one.symbols or (symbol,)
        for bars in one.horizons
    )
    yield OutputPair("labels", names, bars, one.target, two.target)
    name = f"{symbol}: trailing return{where}"
    yield OutputPair("training arrays", (name,), bars, one.trailing, two.trailing)
    for part in ("train", "validation"):
        rows = getattr(one, part)
        chosen = BarRows(stamps, first + rows)
        yield OutputPair("training arrays", (part + where,), chosen, rows, getattr(two, part))


def _pair_counts(
    symbol: str,
    one: TrainingSet,
    two: TrainingSet,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> OutputPair:
    """How many rows a symbol of a panel has in the arrays of a window."""
    parts = ("train", "validation", "inputs")
    real, other = (np.array([[len(getattr(each, part)) for part in parts]]) for each in (one, two))
    return OutputPair(
        "training arrays",
        tuple(f"{symbol}: number of {part} rows in window {window.index}" for part in parts),
        BarRows(prepared.feature_history.features.timestamps, [window.test.start - 1]),
        real,
        other,
    )


def require_same_fits(
    originals: Sequence[FitTask],
    perturbed: Sequence[FitTask],
    window: int | str,
) -> None:
    """Refuses other fits of a window: of other symbols, or of another number.

    Raises:
        LookaheadError: Which symbols of a panel are fitted depends on later bars.
    """
    one, two = (
        {(task.book, task.symbol, task.seed_index) for task in tasks}
        for tasks in (originals, perturbed)
    )
    if one != two or len(originals) != len(perturbed):
        book, symbol, _ = min(one ^ two, default=("", "", 0))
        raise LookaheadError(
            f"Look-ahead: whether {symbol} is fitted in window {window} depends on what comes "
            "after its train and validation rows",
            expected="the same fits, whatever comes later",
            found=f"{len(originals)} fits from the real bars, {len(perturbed)} from others",
            where=f"training arrays: {book} {symbol} in window {window}",
            fix=FIXES["training arrays"],
        )


def pair_tasks(
    originals: Sequence[FitTask],
    perturbed: Sequence[FitTask],
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """The training sets of all tasks of one window, each once."""
    require_same_fits(originals, perturbed, window.index)
    seen = set()
    for task, other in zip(originals, perturbed, strict=True):
        if id(task.training_set) not in seen:
            seen.add(id(task.training_set))
            yield from pair_task_arrays(task, other, window, prepared)


def pair_fit_forecasts(
    task: FitTask,
    original: Forecast,
    perturbed: Forecast,
    window: WalkForwardWindow,
    row: int,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One fit's forecasts on its train and validation rows, and on its test rows up to `row`."""
    stamps = prepared.feature_history.features.timestamps
    for part, rows in (("train", window.train), ("validation", window.validation)):
        yield OutputPair(
            "predictions",
            (f"{task}, {part} rows",),
            BarRows(stamps, rows),
            getattr(original, part),
            getattr(perturbed, part),
        )
    yield from pair_test_forecasts(task, original, perturbed, window, row, prepared)


def pair_test_forecasts(
    task: FitTask,
    original: Forecast,
    perturbed: Forecast,
    window: WalkForwardWindow,
    row: int,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One fit's forecasts on its test rows up to `row`, with their quantiles."""
    tested = range(window.test.start, min(row + 1, window.test.stop))
    bars = BarRows(prepared.feature_history.features.timestamps, tested)
    count = len(bars)
    name = f"{task}, test rows"
    yield OutputPair("predictions", (name,), bars, original.test[:count], perturbed.test[:count])
    one, two = original.quantiles, perturbed.quantiles
    if one is not None and two is not None:
        yield OutputPair(
            "predictions",
            (f"{task}, quantiles",),
            bars,
            one[:count].reshape(count, -1),
            two[:count].reshape(count, -1),
        )


def pair_predictions(
    book: str, original: Predictions, perturbed: Predictions, prepared: PreparedData, row: int
) -> Iterator[OutputPair]:
    """One book's out-of-sample forecasts up to `row`."""
    stamps = prepared.feature_history.features.timestamps
    bars = BarRows(stamps, range(prepared.windows[0].test.start, row + 1))
    for horizon, forecast in original.by_horizon.items():
        other_forecast = perturbed.by_horizon[horizon]
        label = f"{book} {{}} over {_format_bars(horizon)}"
        names = tuple(label.format(symbol) for symbol in forecast.predicted)
        yield _pair_frames(
            "predictions", names, bars, forecast.predicted, other_forecast.predicted
        )
        for level, wide in forecast.quantiles.items():
            named = tuple(f"{name}, quantile {level:g}" for name in names)
            yield _pair_frames("predictions", named, bars, wide, other_forecast.quantiles[level])


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
        yield _pair_frames("positions", names, bars, original[book], weights)

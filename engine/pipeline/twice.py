"""What a run made, beside what was made again from other bars: everything that must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.certificate import Part
from engine.signals.forecasts import Forecasts
from engine.signals.thresholds import levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.evaluation.certificate import Stage
    from engine.evaluation.schedule import Known
    from engine.models import Forecast
    from engine.pipeline.ground import Ground
    from engine.refit.stitch import Predictions
    from engine.refit.task import Task
    from engine.simulation.result import Result
    from engine.strategy import Strategy
    from engine.types import Matrix, WideFrame
    from engine.windows.walk_forward import Window


def ground_parts(real: Ground, other: Ground, row: int) -> Iterator[Part]:
    """Windows, features, coarser features and labels, as far as they are known at `row`.

    A label over h bars is known h bars after its own. A coarser bar stands at the base bar that
    makes it known.
    """
    stamps = real.history.features.timestamps
    yield Part(
        "windows",
        ("train start", "train stop", "validation start", "validation stop", "test start", "stop"),
        stamps[[window.test.start for window in real.windows]],
        _edges(real),
        _edges(other),
    )
    known, last = slice(0, row + 1), stamps[: row + 1]
    one, two = real.history, other.history
    yield Part(
        "features",
        one.features.names,
        last,
        one.features.values[known],
        two.features.values[known],
    )
    for bars, behind in one.behind.items():
        names = tuple(f"{symbol}: return over the last {_bars(bars)}" for symbol in behind)
        yield _wide("features", names, last, behind, two.behind[bars])
    for own, its in zip(one.coarse, two.coarse, strict=True):
        yield Part(
            "resolutions",
            (f"{own.interval} bars known",),
            last,
            own.latest[known],
            its.latest[known],
        )
        complete = slice(0, int(own.latest[row]) + 1)
        when = own.latest[known].searchsorted(np.arange(complete.stop))
        yield Part(
            "resolutions",
            own.features.names,
            stamps[when],
            own.features.values[complete],
            its.features.values[complete],
        )
    for bars, ahead in one.ahead.items():
        names = tuple(f"{symbol}: return over the next {_bars(bars)}" for symbol in ahead)
        yield _wide("labels", names, stamps[: row + 1 - bars], ahead, two.ahead[bars])


def _bars(count: int) -> str:
    return "bar" if count == 1 else f"{count} bars"


def _edges(ground: Ground) -> np.ndarray:
    return np.array(
        [
            [edge for part in (w.train, w.validation, w.test) for edge in (part.start, part.stop)]
            for w in ground.windows
        ],
        dtype=np.int64,
    )


def _wide(
    stage: Stage,
    names: tuple[str, ...],
    bars: pd.DatetimeIndex,
    real: WideFrame,
    other: WideFrame,
) -> Part:
    """The first rows of two frames, as many as there are bars."""
    one, two = (frame.to_numpy()[: len(bars)] for frame in (real, other))
    return Part(stage, names, bars, one, two)


def task_parts(
    real: Task, other: Task, window: Window, row: int, ground: Ground
) -> Iterator[Part]:
    """One window's arrays, whose train and validation part is known at `row`.

    The labels have to be equal on every row: the last of them ends before the test part begins.
    """
    one, two = real.problem, other.problem
    first = window.test.stop - len(one.inputs)
    whole = ground.history.features.timestamps[first : window.test.stop]
    known = slice(0, row + 1 - first)
    bars = whole[known]
    where = f" in window {window.index}"
    names = tuple(name + where for name in ground.history.features.names)
    yield Part("scaled inputs", names, bars, one.inputs[known], two.inputs[known])
    for fine, own, its in zip(ground.history.coarse, one.coarse, two.coarse, strict=True):
        names = tuple(name + where for name in fine.features.names)
        latest = own.latest[known]
        complete = slice(0, int(latest[-1]) + 1)
        when = bars[latest.searchsorted(np.arange(complete.stop))]
        yield Part("scaled inputs", names, when, own.inputs[complete], its.inputs[complete])
        name = f"{fine.interval} bars known{where}"
        yield Part("training arrays", (name,), bars, latest, its.latest[known])
    over = f"{real.symbol}: return over the next {{}}{where}"
    names = tuple(over.format(_bars(bars)) for bars in one.horizons)
    yield Part("labels", names, whole, one.target, two.target)
    name = f"{real.symbol}: trailing return{where}"
    yield Part("training arrays", (name,), bars, one.trailing[known], two.trailing[known])
    for part in ("train", "validation", "test"):
        rows = getattr(one, part)
        yield Part("training arrays", (part + where,), whole[rows], rows, getattr(two, part))


def forecast_parts(
    task: Task, real: Forecast, other: Forecast, window: Window, row: int, ground: Ground
) -> Iterator[Part]:
    """One fit's forecasts on its train and validation rows, and on its test rows up to `row`."""
    stamps = ground.history.features.timestamps
    tested = range(window.test.start, row + 1)
    for part, rows in (
        ("train", window.train),
        ("validation", window.validation),
        ("test", tested),
    ):
        yield Part(
            "predictions",
            (f"{task}, {part} rows",),
            stamps[rows.start : rows.stop],
            getattr(real, part)[: len(rows)],
            getattr(other, part)[: len(rows)],
        )
    one, two = real.quantiles, other.quantiles
    if one is not None and two is not None:
        count = len(tested)
        yield Part(
            "predictions",
            (f"{task}, quantiles",),
            stamps[tested.start : tested.stop],
            one[:count].reshape(count, -1),
            two[:count].reshape(count, -1),
        )


def prediction_parts(
    book: str, real: Predictions, other: Predictions, ground: Ground, row: int
) -> Iterator[Part]:
    """One book's stitched forecasts up to `row`."""
    bars = ground.span[: row + 1 - ground.windows[0].test.start]
    for horizon, outlook in real.outlooks.items():
        its = other.outlooks[horizon]
        told = f"{book} {{}} over {_bars(horizon)}"
        names = tuple(told.format(symbol) for symbol in outlook.predicted)
        yield _wide("predictions", names, bars, outlook.predicted, its.predicted)
        for level, wide in outlook.quantiles.items():
            named = tuple(f"{name}, quantile {level:g}" for name in names)
            yield _wide("predictions", named, bars, wide, its.quantiles[level])


def threshold_parts(
    book: str, real: Predictions, other: Predictions, spec: Strategy, ground: Ground, row: int
) -> Iterator[Part]:
    """What a book's levels are taken from and the levels, of windows that are tested by `row`."""
    stamps = ground.history.features.timestamps
    tested = [window for window in ground.windows if window.test.start <= row]
    for window in tested:
        for kind in ("train", "validation"):
            attribute = "train" if kind == "train" else "residuals"
            rows: range = getattr(window, kind)
            for symbol, values in getattr(real, attribute).get(window.index, {}).items():
                yield Part(
                    "thresholds",
                    (f"{book} {symbol} window {window.index}: predictions on {kind} rows",),
                    stamps[rows.start : rows.stop],
                    values,
                    getattr(other, attribute)[window.index][symbol],
                )
    for symbol in ground.targets:
        one, two = (_levels(spec, made, symbol) for made in (real, other))
        there = [window for window in tested if window.index in one]
        yield Part(
            "thresholds",
            tuple(f"{book} {symbol}: {side}" for side in ("enter", "exit", "short", "cover")),
            stamps[[window.test.start for window in there]],
            np.array([one[window.index] for window in there]).reshape(-1, 4),
            np.array([two[window.index] for window in there]).reshape(-1, 4),
        )


def _levels(
    spec: Strategy, made: Predictions, symbol: str
) -> dict[int, tuple[float, float, float, float]]:
    forecasts = Forecasts(made.predicted, made.window, made.train)
    by_window = levels(spec.signal, forecasts, symbol, spec.costs.round_trip)
    return {
        window: (level.enter, level.exit, level.enter_short, level.exit_short)
        for window, level in by_window.items()
    }


def position_parts(
    real: Mapping[str, WideFrame], other: Mapping[str, WideFrame], bars: pd.DatetimeIndex
) -> Iterator[Part]:
    """The weights of every book of `other` on the first `bars`."""
    for book, weights in other.items():
        names = tuple(f"{book} {symbol}" for symbol in weights)
        yield _wide("positions", names, bars, real[book], weights)


def fill_parts(
    book: str, real: Result, other: Result, bars: pd.DatetimeIndex, *, known: Known
) -> Iterator[Part]:
    """One book's fills on `bars`, and its returns and holdings at their closes.

    Args:
        book: Its name.
        real: From the real bars and decisions.
        other: From other ones.
        bars: The out-of-sample bars up to the cut.
        known: Of the last bar only its `open`: then no close of it is marked at.
    """
    one, two = (_up_to(result.trades, bars[-1]) for result in (real, other))
    names = tuple(f"{book} {column} of the fill" for column in one)
    yield Part(
        "fills",
        names,
        pd.DatetimeIndex(one["timestamp"]),
        _numbers(one, real.held.columns),
        _numbers(two, real.held.columns),
        pd.DatetimeIndex(two["timestamp"]),
    )
    marked = bars[:-1] if known == "open" else bars
    returns = (result.returns.to_frame() for result in (real, other))
    yield _wide("fills", (f"{book} return",), marked, *returns)
    names = tuple(f"{book} holding of {symbol}" for symbol in real.held)
    yield _wide("fills", names, marked, real.held, other.held)


def _up_to(trades: pd.DataFrame, bar: pd.Timestamp) -> pd.DataFrame:
    return trades[trades["timestamp"] <= bar]


def _numbers(trades: pd.DataFrame, symbols: pd.Index[str]) -> Matrix:
    """The columns of fills as numbers: symbols by their place, sells below 0."""
    columns = {
        **{name: trades[name] for name in trades},
        "timestamp": pd.DatetimeIndex(trades["timestamp"]).asi8,
        "symbol": symbols.get_indexer(pd.Index(trades["symbol"])),
        "side": np.where(trades["side"] == "buy", 1.0, -1.0),
    }
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in trades])

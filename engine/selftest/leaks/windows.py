"""Leaks in the windows, and in the rows that they train on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Vector
    from engine.models.dataset import TrainingSet
    from engine.selftest.leaks.planting import Function, Plant
    from engine.splits import WalkForwardWindow
    from engine.training.feature_history import FeatureHistory

_WINDOWS = "engine.splits.walk_forward.make_walk_forward_windows"
_ARRAYS = "engine.training.datasets.build_training_set"


def _last_window_by_last_close(honest: Function, plant: Plant) -> Function:
    def make(*given: Any, **named: Any) -> tuple[WalkForwardWindow, ...]:
        *windows, last = honest(*given, **named)
        close = plant.seen["bars"].bars["close"].iloc[-1]
        odd = int(1e6 * close) % 2
        return (*windows, replace(last, test=range(last.test.start, last.test.stop - odd)))

    return make


def _first_window_by_its_result(honest: Function, plant: Plant) -> Function:
    """The first train part loses its first row where the test part rises."""

    def make(*given: Any, **named: Any) -> tuple[WalkForwardWindow, ...]:
        first, *windows = honest(*given, **named)
        close = plant.seen["bars"].wide("close").iloc[:, 0].to_numpy()
        stop = min(first.test.stop, len(close)) - 1
        shorter = int(close[stop] > close[first.test.start])
        return (replace(first, train=first.train[shorter:]), *windows)

    return make


def _closes_of(plant: Plant, window: WalkForwardWindow) -> Vector:
    """Closes of the first symbol over a test part, of the bars that were prepared last."""
    close = plant.seen["bars"].wide("close").iloc[:, 0].dropna().to_numpy(dtype=np.float64)
    part: Vector = close[window.test.start : window.test.stop]
    return part


def _shorter_by(
    rises: Callable[[Vector], bool], part: Literal["train", "validation"]
) -> Callable[[Function, Plant], Function]:
    """A part of one window is a row shorter, by the closes of its test part."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def make(*given: Any, **named: Any) -> tuple[WalkForwardWindow, ...]:
            windows = honest(*given, **named)
            chosen = plant.window % len(windows)
            window = windows[chosen]
            closes = _closes_of(plant, window)
            first = int(len(closes) > 2 and rises(closes))
            other = replace(window, **{part: getattr(window, part)[first:]})
            return (*windows[:chosen], other, *windows[chosen + 1 :])

        return make

    return replace_function


def _is_above(closes: Vector) -> bool:
    return bool(closes[-1] > closes[0])


def _begins_calm(closes: Vector) -> bool:
    first, second = np.array_split(np.abs(np.diff(np.log(closes))), 2)
    return bool(first.sum() < second.sum())


def _moved_validation(
    last_row: Callable[[WalkForwardWindow], int], *, one: bool = False
) -> Callable[[Function, Plant], Function]:
    """The validation part ends where `last_row` says, of all windows or of one."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def make(*given: Any, **named: Any) -> tuple[WalkForwardWindow, ...]:
            return tuple(
                replace(window, validation=range(window.validation.start, last_row(window) + 1))
                if not one or window.index == plant.window
                else window
                for window in honest(*given, **named)
            )

        return make

    return replace_function


WINDOWS: tuple[Leak, ...] = (
    Leak(
        "window: last close",
        "the last window ends a bar early if the last close has an odd digit",
        "windows",
        _WINDOWS,
        _last_window_by_last_close,
        reads_bars_aside=True,
    ),
    Leak(
        "window: test result",
        "the first train part is a bar shorter if its test part rises",
        "windows",
        _WINDOWS,
        _first_window_by_its_result,
        reads_bars_aside=True,
    ),
    Leak(
        "window: test result, once",
        "the train part of one window, likewise",
        "windows",
        _WINDOWS,
        _shorter_by(_is_above, "train"),
        reads_bars_aside=True,
    ),
    Leak(
        "window: first test bar",
        "the validation part of one window is shorter if its test part begins with a rise",
        "windows",
        _WINDOWS,
        _shorter_by(lambda closes: _is_above(closes[:2]), "validation"),
        reads_bars_aside=True,
    ),
    Leak(
        "window: calm test",
        "the train part of one window is shorter if its test part begins calmer than it ends",
        "windows",
        _WINDOWS,
        _shorter_by(_begins_calm, "train"),
        reads_bars_aside=True,
    ),
    Leak(
        "window: no purge",
        "validation ends at the bar before the test part",
        "labels",
        _WINDOWS,
        _moved_validation(lambda window: window.test.start - 1),
    ),
    Leak(
        "window: no purge, once",
        "the same in one window",
        "labels",
        _WINDOWS,
        _moved_validation(lambda window: window.test.start - 1, one=True),
    ),
    Leak(
        "window: into the test",
        "validation has the first test bar",
        "training arrays",
        _WINDOWS,
        _moved_validation(lambda window: window.test.start),
    ),
)
"""Windows that depend on bars, or whose parts overlap."""


def _changed_set(
    change: Callable[[TrainingSet, FeatureHistory, str, WalkForwardWindow], TrainingSet],
    *,
    one: bool = False,
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def build(
            history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
        ) -> Any:
            made, transform = honest(history, symbol, window, lookback)
            if one and window.index != plant.window:
                return made, transform
            return change(made, history, symbol, window), transform

        return build

    return replace_function


def _test_return(history: FeatureHistory, symbol: str, window: WalkForwardWindow) -> float:
    """Sum of the returns of the test part that are known."""
    horizon = history.target.horizon
    ahead = history.forward_returns[horizon][symbol].to_numpy()
    return float(np.nansum(ahead[window.test.start : window.test.stop]))


def _trailing_of_test(
    made: TrainingSet, history: FeatureHistory, symbol: str, window: WalkForwardWindow
) -> TrainingSet:
    trailing = made.trailing.copy()
    own = history.trailing_returns[made.horizons[0]][symbol].to_numpy()
    trailing[-1] = own[window.test.start]
    return replace(made, trailing=trailing)


def _rows_by_result(
    made: TrainingSet, history: FeatureHistory, symbol: str, window: WalkForwardWindow
) -> TrainingSet:
    recent = made.train[len(made.train) // 2 :]
    rises = _test_return(history, symbol, window) > 0
    return replace(made, train=recent if rises else made.train)


def _rows_by_bars_aside(honest: Function, plant: Plant) -> Function:
    """Half of the train rows of one window, by bars that no argument holds."""

    def build(
        history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
    ) -> Any:
        made, transform = honest(history, symbol, window, lookback)
        closes = _closes_of(plant, window)
        if window.index != plant.window or len(closes) < 2 or not _is_above(closes):
            return made, transform
        return replace(made, train=made.train[len(made.train) // 2 :]), transform

    return build


def _rows_like_the_test(
    made: TrainingSet, history: FeatureHistory, symbol: str, window: WalkForwardWindow
) -> TrainingSet:
    ahead = history.forward_returns[made.horizons[0]][symbol].to_numpy()
    tested = ahead[window.test.start : window.test.stop]
    spread = np.nanstd(tested) if np.isfinite(tested).any() else 0.0
    size = np.abs(made.target.reshape(len(made.target), -1)[made.train, 0])
    like = size <= max(3.0 * spread, float(np.median(size)))
    return replace(made, train=made.train[like])


TRAINING_ARRAYS: tuple[Leak, ...] = (
    Leak(
        "rows: trailing return",
        "the last row has the trailing return of the first test bar",
        "training arrays",
        _ARRAYS,
        _changed_set(_trailing_of_test),
    ),
    Leak(
        "rows: by the test result",
        "half of the train rows if the test part rises",
        "training arrays",
        _ARRAYS,
        _changed_set(_rows_by_result),
    ),
    Leak(
        "rows: by result, once",
        "the same in one window",
        "training arrays",
        _ARRAYS,
        _changed_set(_rows_by_result, one=True),
    ),
    Leak(
        "rows: by result aside, once",
        "the same by bars that no argument holds",
        "training arrays",
        _ARRAYS,
        _rows_by_bars_aside,
        reads_bars_aside=True,
    ),
    Leak(
        "rows: like the test",
        "train rows with moves as large as in the test part",
        "training arrays",
        _ARRAYS,
        _changed_set(_rows_like_the_test),
    ),
)
"""Train rows that are chosen by the test part."""

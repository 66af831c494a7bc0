"""Leaks in the windows and in the arrays that they cut: windows, scaling, labels, rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.selftest.leaks import rows
from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.models.dataset import TrainingSet
    from engine.selftest.leaks.planting import Function, Plant
    from engine.selftest.leaks.rows import RowChoice
    from engine.splits import WalkForwardWindow
    from engine.training.datasets import FeatureHistory

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


def _all_rows(honest: Function, plant: Plant) -> Function:
    def fit(scaling: Any, values: Matrix, train: range) -> Any:
        finite = np.flatnonzero(np.isfinite(values).all(axis=1))
        return honest(scaling, values, range(int(finite[0]), len(values)))

    return fit


@dataclass(frozen=True)
class _OtherRows:
    """Fits a scaling on other rows than those that it is given."""

    scaling: Any
    chosen: Matrix
    rows_of_window: int

    @property
    def warmup(self) -> int:
        return int(self.scaling.warmup)

    def fit(self, train: Matrix) -> Any:
        # Coarser bars are fewer, and stay as they are.
        return self.scaling.fit(self.chosen if len(train) == self.rows_of_window else train)


def _scaled_by(
    choose: Callable[[WalkForwardWindow, int], slice], *, one: bool
) -> Callable[[Function, Plant], Function]:
    """The scaler of every window, or of one, is fitted on chosen rows."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def build(
            history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
        ) -> Any:
            if one and window.index != plant.window:
                return honest(history, symbol, window, lookback)
            values = history.seen_by(symbol).features.values
            finite = values[choose(window, len(values))]
            finite = finite[np.isfinite(finite).all(axis=1)]
            scaling: Any = _OtherRows(history.scaling, finite, len(window.train))
            return honest(replace(history, scaling=scaling), symbol, window, lookback)

        return build

    return replace_function


def _coarse_all_rows(honest: Function, plant: Plant) -> Function:
    def build(resolution: Any, scaling: Any, window: Any, lookback: int) -> Any:
        values = resolution.features.values
        known = resolution.latest[window.train.start : window.train.stop]
        finite = values[np.isfinite(values).all(axis=1)]
        other = _OtherRows(scaling, finite, int(known[-1]) - int(known[0]) + 1)
        return honest(resolution, other, window, lookback)

    return build


def _last_input_row(honest: Function, plant: Plant) -> Function:
    def build(
        history: FeatureHistory, symbol: str, window: WalkForwardWindow, lookback: int
    ) -> Any:
        made, transform = honest(history, symbol, window, lookback)
        inputs = made.inputs.copy()
        own = history.seen_by(symbol).features.values
        inputs[-1] = transform.columns.scale(own[: window.test.start + 1])[-1]
        return replace(made, inputs=inputs), transform

    return build


_AFFINE = {"scaling": {"kind": "standard"}}

SCALED_INPUTS: tuple[Leak, ...] = (
    Leak(
        "scaler: all rows",
        "fitted on the whole history",
        "scaled inputs",
        "engine.splits.scaling.fit_scaler",
        _all_rows,
        _AFFINE,
    ),
    Leak(
        "scaler: all rows, once",
        "the same in one window",
        "scaled inputs",
        _ARRAYS,
        _scaled_by(lambda _, count: slice(0, count), one=True),
        _AFFINE,
    ),
    Leak(
        "scaler: with the test",
        "fitted on train, validation and test rows",
        "scaled inputs",
        _ARRAYS,
        _scaled_by(lambda window, _: slice(window.train.start, window.test.stop), one=False),
        _AFFINE,
    ),
    Leak(
        "scaler: one test bar",
        "fitted up to the first test bar, in one window",
        "scaled inputs",
        _ARRAYS,
        _scaled_by(lambda window, _: slice(window.train.start, window.test.start + 1), one=True),
        _AFFINE,
    ),
    Leak(
        "scaler: min-max of all",
        "minimum and maximum of the whole history",
        "scaled inputs",
        "engine.splits.scaling.fit_scaler",
        _all_rows,
        {"scaling": {"kind": "minmax"}},
    ),
    Leak(
        "scaler: coarser bars",
        "those of coarser bars are fitted on all of them",
        "scaled inputs",
        "engine.training.datasets.build_coarse_inputs",
        _coarse_all_rows,
        _AFFINE,
        needs_coarser=True,
    ),
    Leak(
        "inputs: a test row",
        "the last validation row has the inputs of the first test bar",
        "scaled inputs",
        _ARRAYS,
        _last_input_row,
    ),
)
"""Scalers and inputs that know test rows."""


def _labels(
    change: Callable[[Function, WideFrame, int, Plant], WideFrame],
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def forward(close: WideFrame, horizon: int) -> WideFrame:
            return change(honest, close, horizon, plant)

        return forward

    return replace_function


def _late(choose: RowChoice, bars: int = 1) -> Callable[..., WideFrame]:
    def change(honest: Function, close: WideFrame, horizon: int, plant: Plant) -> WideFrame:
        own, late = honest(close, horizon), honest(close, horizon + bars)
        rows_late = choose(close.iloc[:, 0], plant)
        mixed: WideFrame = own.where(~rows_late[:, None] | late.isna(), late)
        return mixed

    return change


def _demeaned(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own: WideFrame = honest(close, horizon)
    return own - own.mean()


def _clipped(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own: WideFrame = honest(close, horizon)
    return own.clip(own.quantile(0.02), own.quantile(0.98), axis=1)


def _smoothed(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own, longer = honest(close, horizon), honest(close, horizon + 2)
    mean: WideFrame = (own + longer.fillna(own)) / 2
    return mean


def _rows_behind(honest: Function, plant: Plant) -> Function:
    def targets(history: Any, symbol: str, taken: slice, horizons: Any) -> Any:
        return honest(history, symbol, slice(taken.start + 1, taken.stop + 1), horizons)

    return targets


def _label_leak(name: str, summary: str, change: Callable[..., WideFrame]) -> Leak:
    function = "engine.features.target.forward_returns"
    return Leak(name, summary, "labels", function, _labels(change))


LABELS: tuple[Leak, ...] = (
    _label_leak("label: one bar late", "it ends a bar too late", _late(rows.every_row)),
    _label_leak(
        "label: late, 10 %", "the same at a tenth of the bars", _late(rows.random_share(0.1))
    ),
    _label_leak("label: late, 1 %", "the same at a hundredth", _late(rows.random_share(0.01))),
    _label_leak(
        "label: late before falls",
        "the same where the next bar falls far",
        _late(rows.before_falls),
    ),
    _label_leak("label: smoothed", "the mean with one that ends two bars later", _smoothed),
    _label_leak("label: demeaned", "less the mean of the whole history", _demeaned),
    _label_leak("label: clipped", "clipped at quantiles of the whole history", _clipped),
    Leak(
        "label: rows behind",
        "each row has the label of the next one",
        "labels",
        "engine.training.datasets.target_returns",
        _rows_behind,
    ),
)
"""Labels that end too late, or know the whole history."""


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

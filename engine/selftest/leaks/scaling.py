"""Leaks in scalers and scaled inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix
    from engine.selftest.leaks.planting import Function, Plant
    from engine.splits import WalkForwardWindow
    from engine.training.feature_history import FeatureHistory

_ARRAYS = "engine.training.datasets.build_training_set"


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

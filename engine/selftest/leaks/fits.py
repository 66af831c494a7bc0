"""Leaks in a user's model: its `fit` reads bars beside its arrays, or its `predict` later rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.baselines.ridge import Ridge
from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from engine.core.types import Vector
    from engine.models import FittedForecaster, Forecaster, Prediction
    from engine.selftest.leaks.planting import Function, Plant

USER_MODULE = "leaktest_user_models"
"""Name of the module of `user_models`: one that is not the engine's."""

_TEST_BARS = 60
"""Bars after the validation rows that a fit reads."""


def load_user_models() -> ModuleType:
    """The file `user_models.py` as a module outside of the engine."""
    if USER_MODULE not in sys.modules:
        spec = spec_from_file_location(USER_MODULE, Path(__file__).with_name("user_models.py"))
        if spec is None or spec.loader is None:
            raise ImportError(USER_MODULE)
        module = module_from_spec(spec)
        sys.modules[USER_MODULE] = module
        spec.loader.exec_module(module)
    return sys.modules[USER_MODULE]


def make_user_model(name: str, model: Forecaster) -> Forecaster:
    """A user's model in the place of a strategy's, with its lookback."""
    alphas = model.alphas if isinstance(model, Ridge) else Ridge().alphas
    made: Forecaster = getattr(load_user_models(), name)(lookback=model.lookback, alphas=alphas)
    return made


def _returns_to_come(training_set: Any, plant: Plant) -> Vector:
    """Returns of the bars after the validation rows, of the symbol that is forecast.

    The rows are found by the trailing returns: no array of a fit says where it is.
    """
    horizon = training_set.horizons[0]
    market = plant.seen["bars"]
    for symbol in plant.prepared.targets:
        close = market.wide("close")[symbol]
        trailing = close.pct_change(horizon).to_numpy()
        last = np.flatnonzero(trailing == training_set.trailing[-1])
        if len(last):
            first = int(last[-1]) + horizon + 1
            ahead = close.pct_change().to_numpy(dtype=np.float64)
            return np.asarray(ahead[first : first + _TEST_BARS], dtype=np.float64)
    return np.zeros(1)


def _fitted_by(
    change: Callable[[FittedForecaster, Vector], FittedForecaster],
) -> Callable[[Function, Plant], Function]:
    """Changes a fit by the returns of its test part."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def fit(model: Any, training_set: Any, training: Any, seed: int) -> FittedForecaster:
            fitted = honest(model, training_set, training, seed)
            return change(fitted, _returns_to_come(training_set, plant))

        return fit

    return replace_function


def _fitted_once(
    change: Callable[[FittedForecaster, Vector], FittedForecaster],
) -> Callable[[Function, Plant], Function]:
    """The same in the fits of one window."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        leaking = _fitted_by(change)(honest, plant)
        stop = plant.prepared.windows[plant.window].validation.stop
        marks = {
            own.to_numpy()[stop - 1]
            for wide in plant.prepared.feature_history.trailing_returns.values()
            for _, own in wide.items()
        }

        def fit(model: Any, training_set: Any, training: Any, seed: int) -> FittedForecaster:
            last = training_set.trailing[training_set.validation[-1]]
            chosen = leaking if last in marks else honest
            made: FittedForecaster = chosen(model, training_set, training, seed)
            return made

        return fit

    return replace_function


def _scaled(fitted: FittedForecaster, factor: float) -> FittedForecaster:
    return replace(fitted, weights=tuple(factor * weight for weight in fitted.weights))


def _shifted(fitted: FittedForecaster, ahead: Vector) -> FittedForecaster:
    level = float(ahead.mean()) if len(ahead) else 0.0
    return replace(fitted, weights=tuple(weight + level for weight in fitted.weights))


def _sign(fitted: FittedForecaster, ahead: Vector) -> FittedForecaster:
    return _scaled(fitted, 1.0 if ahead.sum() >= 0 else -1.0)


def _penalty(fitted: FittedForecaster, ahead: Vector) -> FittedForecaster:
    """One of two penalties: the larger where the test part begins calmer than it ends."""
    first, second = np.array_split(ahead, 2)
    if not len(second):
        return fitted
    return _scaled(fitted, 0.5 if first.std() < second.std() else 1.0)


def _epoch(fitted: FittedForecaster, ahead: Vector) -> FittedForecaster:
    """One of eight epochs: the one whose part of the test rows earned most."""
    parts = np.array_split(ahead, 8)
    return _scaled(fitted, 1.0 + int(np.argmax([part.sum() for part in parts])) / 8)


def _late_sequence(honest: Function, plant: Plant) -> Function:
    def predict(model: Any, fitted: Any, inputs: Any, rows: Any) -> Prediction:
        late = plant.draw_rows(int(rows.max(initial=0)) + 1, 0.1)[rows]
        made: Prediction = honest(
            model, fitted, inputs, np.minimum(rows + late, len(inputs.inputs) - 1)
        )
        return made

    return predict


def _fit_leaks(
    name: str, summary: str, change: Callable[[FittedForecaster, Vector], FittedForecaster]
) -> tuple[Leak, Leak]:
    """The same in a cheap and in a costly model of a user."""
    function = f"{USER_MODULE}.UserRidge.fit"
    cheap = Leak(
        f"{name}, cheap",
        summary,
        "predictions",
        function,
        _fitted_by(change),
        reads_bars_aside=True,
        model="UserRidge",
    )
    return cheap, replace(
        cheap,
        name=f"{name}, costly",
        model="CostlyUserRidge",
    )


def _calm(fitted: FittedForecaster, ahead: Vector) -> FittedForecaster:
    """Larger forecasts where most moves of the test part are smaller than its mean one."""
    moves = np.abs(ahead)
    if not len(moves):
        return fitted
    return _scaled(fitted, 2.0 if np.median(moves) < 0.7 * moves.mean() else 1.0)


FITS: tuple[Leak, ...] = (
    *_fit_leaks("fit: mean of test", "weights moved by the mean return of the test", _shifted),
    *_fit_leaks("fit: sign by test", "turned where the test part falls", _sign),
    *_fit_leaks("fit: penalty by test", "one of two penalties, by the test part", _penalty),
    *_fit_leaks("fit: epoch by test", "one of eight epochs, by the test part", _epoch),
    *(
        Leak(
            f"fit: {name}, once",
            f"{summary}, in one window",
            "predictions",
            f"{USER_MODULE}.UserRidge.fit",
            _fitted_once(change),
            reads_bars_aside=True,
            model="UserRidge",
        )
        for name, summary, change in (
            ("sign by test", "turned where the test part falls", _sign),
            ("penalty by test", "one of two penalties, by the test part", _penalty),
            ("calm test", "twice the forecasts where the test part is calm", _calm),
        )
    ),
    Leak(
        "fit: late sequence",
        "a user's predict reads the next row at a tenth of the rows",
        "predictions",
        f"{USER_MODULE}.UserRidge.predict",
        _late_sequence,
        model="UserRidge",
    ),
)
"""Models of a user that know their test rows."""

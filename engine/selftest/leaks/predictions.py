"""Leaks in forecasts and thresholds: rows that read later rows, or know how the test ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ModelInputs, Prediction
    from engine.models.fitted_model import FeatureRows
    from engine.selftest.leaks.planting import Function, Plant
    from engine.signals.hysteresis import EntryExitThresholds
    from engine.training.forecast import Forecast
    from engine.training.out_of_sample import Predictions

_PREDICT = "engine.models.forecaster.FittedForecaster.predict"
_WINDOW = "engine.training.forecast.predict_window"
_ROWS = "engine.training.datasets.select_feature_rows"
_CONCAT = "engine.training.out_of_sample.concat_out_of_sample"


def _other_rows(
    choose: Callable[[IntVector, int, Plant], IntVector],
) -> Callable[[Function, Plant], Function]:
    """Predicts other rows than those asked for."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def predict(fitted: Any, inputs: ModelInputs, rows: IntVector) -> Prediction:
            made: Prediction = honest(fitted, inputs, choose(rows, len(inputs.inputs) - 1, plant))
            return made

        return predict

    return replace_function


def _next_row(rows: IntVector, last: int, _: Plant) -> IntVector:
    return np.minimum(rows + 1, last)


def _later_row(share: float, ahead: int = 1) -> Callable[[IntVector, int, Plant], IntVector]:
    """A later row in the place of some."""

    def choose(rows: IntVector, last: int, plant: Plant) -> IntVector:
        late = plant.draw_rows(int(rows.max(initial=0)) + 1, share)[rows]
        return np.minimum(rows + ahead * late, last)

    return choose


def _of_all(change: Callable[[Vector], Vector]) -> Callable[[Function, Plant], Function]:
    """Changes forecasts by those of all rows that are predicted together."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def predict(*given: Any) -> Prediction:
            made: Prediction = honest(*given)
            return replace(made, returns=change(made.returns))

        return predict

    return replace_function


def _centred(values: Matrix) -> Matrix:
    wide = pd.DataFrame(values.reshape(len(values), -1))
    smooth = wide.rolling(3, center=True, min_periods=1).mean()
    return np.asarray(smooth).reshape(values.shape)


def _clipped(values: Vector) -> Vector:
    return np.clip(values, np.quantile(values, 0.1, axis=0), np.quantile(values, 0.9, axis=0))


def _ranked(values: Matrix) -> Matrix:
    scale = values.std(axis=0) if len(values) else 1.0
    ranks = np.argsort(np.argsort(values, axis=0), axis=0) / max(1, len(values) - 1) - 0.5
    return np.asarray(ranks * scale)


def _realised(history: Any, fitted: Any, symbol: str, rows: range) -> Matrix:
    """(n, m) the returns that are forecast; 0 where not known."""
    horizons = fitted.input_transform.horizons
    ahead = [history.forward_returns[bars][symbol].to_numpy() for bars in horizons]
    known: Matrix = np.nan_to_num(np.column_stack(ahead)[rows.start : rows.stop])
    return known


def _by_test(
    change: Callable[[Matrix, Matrix], Matrix],
) -> Callable[[Function, Plant], Function]:
    """Changes a window's forecasts by the returns of its test part."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def predict(fitted: Any, history: Any, symbol: str, rows: range) -> Forecast:
            made: Forecast = honest(fitted, history, symbol, rows)
            actual = _realised(history, fitted, symbol, rows)
            changed = change(made.test.reshape(actual.shape), actual)
            return replace(made, test=changed.reshape(made.test.shape))

        return predict

    return replace_function


def _sign_by_test(values: Matrix, actual: Matrix) -> Matrix:
    return values if (values * actual).sum() >= 0 else -values


def _blend_by_test(values: Matrix, actual: Matrix) -> Matrix:
    """The forecast and 0, weighted by their inverse squared errors on the test rows."""
    own, zero = ((actual - values) ** 2).mean(), (actual**2).mean()
    share = zero / (own + zero) if own + zero > 0 else 0.5
    return np.asarray(share * values)


def _bias_by_test(values: Matrix, actual: Matrix) -> Matrix:
    return np.asarray(values + (actual - values).mean(axis=0))


def _centred_inputs(honest: Function, plant: Plant) -> Function:
    def apply(transform: Any, rows: FeatureRows, *rest: Any) -> ModelInputs:
        made: ModelInputs = honest(transform, rows, *rest)
        finite = np.nan_to_num(made.inputs)
        return replace(made, inputs=made.inputs - finite.mean(axis=0))

    return apply


def _row_late(honest: Function, plant: Plant) -> Function:
    def select(*given: Any) -> tuple[FeatureRows, IntVector]:
        rows, at = honest(*given)
        later = np.vstack([rows.features[1:], rows.features[-1:]])
        return replace(rows, features=later), at

    return select


def _week_early(honest: Function, plant: Plant) -> Function:
    def select(*given: Any) -> tuple[FeatureRows, IntVector]:
        rows, at = honest(*given)
        early = tuple(
            replace(each, latest=np.append(each.latest[1:], each.latest[-1]))
            for each in rows.coarse
        )
        return replace(rows, coarse=early), at

    return select


def _joined(
    change: Callable[[Predictions, Any], Predictions],
) -> Callable[[Function, Plant], Function]:
    """Changes what the windows are joined to."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def concat(history: Any, *rest: Any) -> Predictions:
            return change(honest(history, *rest), history)

        return concat

    return replace_function


def _forecast_moved_up(made: Predictions, history: Any) -> Predictions:
    own = made.by_horizon[made.horizon]
    moved = replace(own, predicted=own.predicted.shift(-1).fillna(own.predicted))
    return replace(made, by_horizon={**made.by_horizon, made.horizon: moved})


def _wrong_windows_turned(made: Predictions, history: Any) -> Predictions:
    own = made.by_horizon[made.horizon]
    actual = history.forward_returns[made.horizon].loc[own.predicted.index]
    gain = (own.predicted * actual).fillna(0.0).groupby(made.window_index).transform("sum")
    turned = replace(own, predicted=own.predicted.where(gain >= 0, -own.predicted))
    return replace(made, by_horizon={**made.by_horizon, made.horizon: turned})


def _prediction_leak(
    name: str, summary: str, function: str, change: Callable[[Function, Plant], Function]
) -> Leak:
    return Leak(name, summary, "predictions", function, change)


PREDICTIONS: tuple[Leak, ...] = (
    _prediction_leak("forecast: next row", "of the next row", _PREDICT, _other_rows(_next_row)),
    _prediction_leak(
        "forecast: next row, 10 %",
        "of the next row, at a tenth of the rows",
        _PREDICT,
        _other_rows(_later_row(0.1)),
    ),
    _prediction_leak(
        "forecast: next row, 1 %",
        "of the next row, at a hundredth of the rows",
        _PREDICT,
        _other_rows(_later_row(0.01)),
    ),
    _prediction_leak(
        "forecast: 20 rows on, 5 %",
        "of the twentieth row from there, at 5 %",
        _PREDICT,
        _other_rows(_later_row(0.05, 20)),
    ),
    _prediction_leak(
        "forecast: against mean",
        "less the mean of the rows predicted",
        _PREDICT,
        _of_all(lambda values: values - values.mean(axis=0)),
    ),
    _prediction_leak(
        "forecast: smoothed", "the mean with the rows beside it", _PREDICT, _of_all(_centred)
    ),
    _prediction_leak(
        "forecast: clipped",
        "clipped at quantiles of the rows predicted",
        _PREDICT,
        _of_all(_clipped),
    ),
    _prediction_leak(
        "forecast: ranked", "the rank among the rows predicted", _PREDICT, _of_all(_ranked)
    ),
    _prediction_leak(
        "forecast: sign by test",
        "turned if it loses on the test rows",
        _WINDOW,
        _by_test(_sign_by_test),
    ),
    _prediction_leak(
        "forecast: weight by test",
        "weighted by the error on the test rows",
        _WINDOW,
        _by_test(_blend_by_test),
    ),
    _prediction_leak(
        "forecast: bias by test",
        "less the mean error on the test rows",
        _WINDOW,
        _by_test(_bias_by_test),
    ),
    _prediction_leak(
        "forecast: centred inputs",
        "inputs less the mean of the rows predicted",
        "engine.models.fitted_model.InputTransform.apply",
        _centred_inputs,
    ),
    _prediction_leak(
        "forecast: late inputs", "from the features of the next bar", _ROWS, _row_late
    ),
    replace(
        _prediction_leak(
            "forecast: early week", "from a week that is not complete", _ROWS, _week_early
        ),
        needs_coarser=True,
    ),
    _prediction_leak(
        "forecast: moved up", "joined a row too early", _CONCAT, _joined(_forecast_moved_up)
    ),
    _prediction_leak(
        "forecast: windows turned",
        "windows that lose are turned",
        _CONCAT,
        _joined(_wrong_windows_turned),
    ),
)
"""Forecasts that know later rows of their test part."""


def _of_test_part(honest: Function, plant: Plant) -> Function:
    def average(fitted: Any, horizon: int, part: str) -> Any:
        return honest(fitted, horizon, "test" if part == "train" else part)

    return average


def _of_one_test_part(honest: Function, plant: Plant) -> Function:
    def average(fitted: Any, horizon: int, part: str) -> Any:
        own = honest(fitted, horizon, part)
        if part == "train" and plant.window in own:
            own = own | {plant.window: honest(fitted, horizon, "test")[plant.window]}
        return own

    return average


def _of_all_forecasts(honest: Function, plant: Plant) -> Function:
    def thresholds(signal: Any, forecasts: Any, symbol: str, cost: float) -> Any:
        everything = forecasts.predicted[symbol].dropna().to_numpy()
        pooled = {
            window: dict.fromkeys(by_symbol, everything)
            for window, by_symbol in forecasts.train_predictions.items()
        }
        return honest(signal, replace(forecasts, train_predictions=pooled), symbol, cost)

    return thresholds


def _of_next_window(honest: Function, plant: Plant) -> Function:
    def thresholds(*given: Any) -> dict[int, EntryExitThresholds]:
        own: dict[int, EntryExitThresholds] = honest(*given)
        following: Sequence[int] = sorted(own)[1:]
        return own | {window - 1: own[window] for window in following if window - 1 in own}

    return thresholds


_QUANTILE = {"signal": {"kind": "quantile", "enter": 0.6, "exit": 0.5, "side": "long_short"}}
_THRESHOLDS = "engine.signals.thresholds.compute_window_thresholds"
_AVERAGE = "engine.training.out_of_sample.average_by_window"

THRESHOLDS: tuple[Leak, ...] = (
    Leak(
        "threshold: test part",
        "from forecasts of the test part",
        "thresholds",
        _AVERAGE,
        _of_test_part,
        _QUANTILE,
    ),
    Leak(
        "threshold: test, once",
        "the same in one window",
        "thresholds",
        _AVERAGE,
        _of_one_test_part,
        _QUANTILE,
    ),
    Leak(
        "threshold: all forecasts",
        "from the forecasts of all windows",
        "thresholds",
        _THRESHOLDS,
        _of_all_forecasts,
        _QUANTILE,
    ),
    Leak(
        "threshold: next window",
        "those of the window after it",
        "thresholds",
        _THRESHOLDS,
        _of_next_window,
        _QUANTILE,
    ),
)
"""Thresholds that know forecasts of test rows."""

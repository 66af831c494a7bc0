"""Tests of a run's forecasts, residuals and inputs, as `significance.json` holds them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.forecasts.accuracy_tests import (
    as_columns,
    average_by_bar,
    clark_west,
    diebold_mariano,
    direction_test,
)
from engine.evaluation.inference.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.runs.documents.significance_models import (
    ForecastTestFigures,
    InputTestFigures,
    ResidualTestFigures,
    StatisticalTestFigures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Matrix, Vector
    from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

MAX_ADF_ROWS = 10_000
"""Only the latest rows of longer inputs are tested: the number of lags grows with the length, and
100,000 rows take a third of a second each."""

NO_CHANGE, DRIFT = "no_change", "drift"


def run_forecast_tests(
    forecasts: Mapping[str, Vector | Matrix],
    actual: Vector | Matrix,
    drift: Vector | Matrix,
    horizon: int,
) -> ForecastTestFigures:
    """Tests the first forecast against no change, drift and every other one, and its direction.

    Several symbols are tested together, as a panel: see `average_by_bar`.

    Args:
        forecasts: Name -> predicted simple returns, (n,), or (n, m) of m symbols, NaN where there
            is none; the first is tested against each of the others, where both have one.
        actual: Realised returns, likewise; NaN where the outcome is not known yet.
        drift: Mean return of the train rows of each forecast, likewise.
        horizon: Bars ahead. Above 1, direction is tested on every h-th row.

    Returns:
        `diebold_mariano`: by name of the other forecast, `no_change` first, with p_value_holm over
        all of them; a negative statistic favours the first forecast. `clark_west`: of the first
        forecast over `no_change` and over `drift`; both are nested in a fitted model.
        `pesaran_timmermann`: `direction_test`. `symbols`, where there are several.
    """
    (_, own), *others = forecasts.items()
    still = np.zeros(own.shape)
    nested = {
        name: clark_west(own, simpler, actual, horizon)
        for name, simpler in ((NO_CHANGE, still), (DRIFT, drift))
    }
    tests = {
        name: diebold_mariano(actual - own, actual - other, horizon)
        for name, other in [(NO_CHANGE, still), *others]
    }
    known = as_columns(np.isfinite(own * actual)).any(axis=1)
    symbols = as_columns(own).shape[1]
    direction = direction_test(own[known][::horizon], actual[known][::horizon])
    return ForecastTestFigures(
        diebold_mariano=_with_holm_p_values(tests),
        clark_west={name: StatisticalTestFigures(**asdict(test)) for name, test in nested.items()},
        pesaran_timmermann=StatisticalTestFigures(**asdict(direction)),
        **({"symbols": symbols} if symbols > 1 else {}),
    )


def run_residual_tests(
    predicted: Vector | Matrix, actual: Vector | Matrix, regressors: Matrix, horizon: int
) -> ResidualTestFigures:
    """Tests whether the forecast errors are autocorrelated, and so could have been forecast.

    For horizons above one bar every h-th row is used, as the errors of overlapping forecasts are
    autocorrelated in any case. Lags are 10, or a fifth of the rows if that is less (Hyndman &
    Athanasopoulos 2021, Forecasting: Principles and Practice, section 5.4).

    Of several symbols the errors are the mean over them at each bar.

    Args:
        predicted: Predicted simple returns, (n,), or (n, m) of m symbols; NaN where there is none.
        actual: Realised returns, likewise; NaN where the outcome is not known yet.
        regressors: Features at the bar of each forecast, shape (n, k); no NaN.
        horizon: Bars ahead.

    Returns:
        `ljung_box` and `breusch_godfrey`, not adjusted for multiple testing: both test one
        hypothesis.
    """
    errors = actual - predicted
    known = as_columns(np.isfinite(errors)).any(axis=1)
    residuals = average_by_bar(errors)[::horizon]
    lags = min(10, len(residuals) // 5)
    serial = breusch_godfrey(residuals, regressors[known][::horizon], lags)
    return ResidualTestFigures(
        ljung_box=StatisticalTestFigures(**asdict(ljung_box(residuals, lags))),
        breusch_godfrey=StatisticalTestFigures(**asdict(serial)),
    )


def run_input_tests(inputs: Mapping[str, Vector]) -> InputTestFigures:
    """Tests each input for a unit root: the levels of such an input leave the training range.

    Args:
        inputs: Name -> a feature before scaling, shape (n,), each of its own length. Against
            look-ahead: the rows from the end of the warm-up to the bar before the first
            out-of-sample one. The latest 10,000 are tested.

    Returns:
        `adf` by name, with p_value_holm over all of them; a small p-value favours a stationary
        input. None for a constant input.
    """
    tests = {
        name: augmented_dickey_fuller(values[-MAX_ADF_ROWS:]) for name, values in inputs.items()
    }
    return InputTestFigures(adf=_with_holm_p_values(tests))


def _with_holm_p_values(
    tests: Mapping[str, HypothesisTestResult],
) -> dict[str, StatisticalTestFigures]:
    adjusted = holm_by_name({name: test.p_value for name, test in tests.items()})
    return {
        name: StatisticalTestFigures(**asdict(test), p_value_holm=adjusted[name])
        for name, test in tests.items()
    }

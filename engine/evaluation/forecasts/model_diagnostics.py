"""The tests of a run's forecasts, residuals and inputs, as `significance.json` holds them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.forecasts.accuracy_tests import diebold_mariano, pesaran_timmermann
from engine.evaluation.inference.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.inference.multiple_testing import holm_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Matrix, Vector
    from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

MAX_ADF_ROWS = 10_000
"""Of longer inputs the latest so many are tested: their number of lags grows with their length,
and 100,000 rows take a third of a second each."""

NO_CHANGE = "no_change"


def run_forecast_tests(
    forecasts: Mapping[str, Vector], actual: Vector, horizon: int
) -> dict[str, Any]:
    """The first forecast's errors against no change and every other one's, and its direction.

    Args:
        forecasts: Name -> predicted simple returns, shape (n,), NaN where there is none; the
            first is tested against the others, each on the rows that both have.
        actual: What came, shape (n,); NaN where it is not known yet.
        horizon: Bars ahead. Of longer ones than 1, direction is tested on every h-th row.

    Returns:
        `diebold_mariano`: by opponent, `no_change` the first of them, the fields of `TestResult`
        and p_value_holm over all of them; a negative statistic is in favour of the first
        forecast. `pesaran_timmermann`: the fields of its `TestResult`.
    """
    (_, own), *others = forecasts.items()
    made = np.isfinite(own) & np.isfinite(actual)
    against = {}
    for name, other in [(NO_CHANGE, np.zeros(len(own))), *others]:
        rows = made & np.isfinite(other)
        came = actual[rows]
        against[name] = diebold_mariano(came - own[rows], came - other[rows], horizon)
    direction = pesaran_timmermann(own[made][::horizon], actual[made][::horizon])
    return {
        "diebold_mariano": _with_holm_p_values(against),
        "pesaran_timmermann": asdict(direction),
    }


def run_residual_tests(
    predicted: Vector, actual: Vector, regressors: Matrix, horizon: int
) -> dict[str, Any]:
    """Whether the forecasts left something in their own errors that could have been forecast.

    Of horizons longer than a bar every h-th row is taken, as forecasts that overlap leave errors
    that hang together however good they are. Lags are 10, or a fifth of the rows if that is less
    (Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, section 5.4).

    Args:
        predicted: Predicted simple returns, shape (n,); NaN where there is none.
        actual: What came, shape (n,); NaN where it is not known yet.
        regressors: The features of the bar each forecast was made at, shape (n, k); no NaN.
        horizon: Bars ahead.

    Returns:
        `ljung_box` and `breusch_godfrey`, the fields of the `TestResult` of each. Not adjusted:
        they are two looks at one hypothesis.
    """
    made = np.isfinite(predicted) & np.isfinite(actual)
    residuals = (actual - predicted)[made][::horizon]
    lags = min(10, len(residuals) // 5)
    return {
        "ljung_box": asdict(ljung_box(residuals, lags)),
        "breusch_godfrey": asdict(breusch_godfrey(residuals, regressors[made][::horizon], lags)),
    }


def run_input_tests(inputs: Mapping[str, Vector]) -> dict[str, dict[str, Any]]:
    """Whether each input has a unit root, so that its level tomorrow was never seen in training.

    Args:
        inputs: Name -> a feature before scaling, shape (n,), each of its own length. To peek at
            nothing: the rows from the end of the warm-up to the bar before the first
            out-of-sample one. The latest 10,000 are tested.

    Returns:
        By name the fields of `TestResult` and p_value_holm over all of them; a small p-value
        speaks for a stationary input. None for an input that never varies.
    """
    return _with_holm_p_values(
        {name: augmented_dickey_fuller(values[-MAX_ADF_ROWS:]) for name, values in inputs.items()}
    )


def _with_holm_p_values(tests: Mapping[str, HypothesisTestResult]) -> dict[str, dict[str, Any]]:
    adjusted = holm_by_name({name: test.p_value for name, test in tests.items()})
    return {name: asdict(test) | {"p_value_holm": adjusted[name]} for name, test in tests.items()}

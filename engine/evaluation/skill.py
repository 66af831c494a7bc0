"""Whether the forecasts know anything: against their rivals, by direction, by what they leave."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.diagnostics import (
    augmented_dickey_fuller,
    breusch_godfrey,
    ljung_box,
)
from engine.evaluation.forecast_tests import diebold_mariano, pesaran_timmermann
from engine.evaluation.multiple import holm_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.types import Vector

NO_CHANGE = "no_change"
"""The rival that forecasts a return of 0."""

LAGS = 10
"""Of the residuals, as far as there are five rows a lag."""

NEWEST_ROWS = 5_000
"""Inputs are tested for a unit root on no more rows than these: more only make the test sure of
departures that do not matter, and slow."""


def forecast_tests(
    predicted: Vector, actual: Vector, rivals: Mapping[str, Vector], horizon: int
) -> dict[str, Any]:
    """Tests of the strategy's forecasts against others of the same rows, and of what they leave.

    Errors of forecasts over several bars hang together over horizon - 1 bars. Diebold & Mariano's
    test knows that; direction and residuals are tested on every horizon-th row, whose outcomes do
    not overlap.

    Args:
        predicted: Simple returns, shape (n,); NaN where nothing was forecast.
        actual: What came, shape (n,); NaN where it is not known yet.
        rivals: Name -> what others predicted, shape (n,); `no_change` is added.
        horizon: Bars ahead.

    Returns:
        forecasts: `diebold_mariano` by rival on squared errors (a negative statistic says that
            the strategy's are smaller), adjusted by Holm over the rivals; `pesaran_timmermann`.
        residuals: `ljung_box` and `breusch_godfrey`, the second given the forecast.
        None where a figure is not defined.
    """
    told = {**rivals, NO_CHANGE: np.zeros(len(predicted))}
    known = np.isfinite([predicted, actual, *told.values()]).all(axis=0)
    forecast, came = predicted[known], actual[known]
    compared = {
        name: asdict(diebold_mariano(came - forecast, came - other[known], horizon))
        for name, other in told.items()
    }
    adjusted = holm_by_name({name: each["p_value"] for name, each in compared.items()})
    apart = slice(None, None, horizon)
    errors = came[apart] - forecast[apart]
    lags = max(1, min(LAGS, len(errors) // 5))
    return {
        "forecasts": {
            "diebold_mariano": {
                name: {**each, "p_value_holm": adjusted[name]} for name, each in compared.items()
            },
            "pesaran_timmermann": asdict(pesaran_timmermann(forecast[apart], came[apart])),
        },
        "residuals": {
            "ljung_box": asdict(ljung_box(errors, lags)),
            "breusch_godfrey": asdict(breusch_godfrey(errors, forecast[apart, None], lags)),
        },
    }


def input_tests(columns: Mapping[str, Vector]) -> dict[str, Any]:
    """Tests each input for a unit root, adjusted by Holm over the inputs.

    Args:
        columns: Name -> what the first window could train on, shape (n,); the newest 5,000 rows
            are tested; no NaN.

    Returns:
        `adf` by name; None where it is not defined.
    """
    tested = {
        name: asdict(augmented_dickey_fuller(values[-NEWEST_ROWS:]))
        for name, values in columns.items()
    }
    adjusted = holm_by_name({name: each["p_value"] for name, each in tested.items()})
    return {
        "adf": {name: {**each, "p_value_holm": adjusted[name]} for name, each in tested.items()}
    }

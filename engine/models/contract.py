"""What every forecast of a model that is not the engine's own has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import ContractError
from engine.models.dataset import Forecast

if TYPE_CHECKING:
    from engine.models.dataset import WindowDataset
    from engine.models.forecaster import Forecaster

FORECAST_PARTS = ("train", "validation", "test")


def check_forecast(
    model: Forecaster, dataset: WindowDataset, forecast: object, where: str = ""
) -> None:
    """Refuses a forecast that is not one finite return a row and horizon.

    Args:
        model: Who made it.
        dataset: What it was made from.
        forecast: What `fit_predict` returned.
        where: The fit, for the error.

    Raises:
        ContractError: The first rule that is broken.
    """
    if not isinstance(forecast, Forecast):
        found = type(forecast).__name__
        raise ContractError(model.kind, "fit_predict returns a Forecast", found, where)
    for part in FORECAST_PARTS:
        values, rows = getattr(forecast, part), getattr(dataset, part)
        horizons = len(dataset.horizons)
        shape = (len(rows),) if horizons == 1 else (len(rows), horizons)
        if not isinstance(values, np.ndarray) or values.shape != shape:
            found = f"{type(values).__name__} of shape {np.shape(values)}"
            rule = f"`{part}` is an array of shape {shape}: a row each of `dataset.{part}`"
            raise ContractError(model.kind, rule, found, where)
        if not np.issubdtype(values.dtype, np.floating):
            rule = f"`{part}` holds floating-point numbers"
            raise ContractError(model.kind, rule, str(values.dtype), where)
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            found = f"{bad} of {values.size} values are not"
            raise ContractError(model.kind, f"`{part}` is finite", found, where)

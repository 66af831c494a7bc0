"""What a fit of a model that is not the engine's own has to be."""

from __future__ import annotations

import json

import numpy as np

from engine.core.errors import ContractError
from engine.models.forecaster import FittedForecaster, Forecaster


def check_fitted(model: Forecaster, fitted: FittedForecaster, where: str = "") -> None:
    """Refuses a fit that cannot be written to a file without pickles.

    Args:
        model: Who was fitted.
        fitted: What `fit` returned.
        where: The fit, for the error.

    Raises:
        ContractError: The first rule that is broken.
    """
    if not isinstance(fitted, FittedForecaster):
        rule = "fit returns a FittedForecaster"
        raise ContractError(model.kind, rule, type(fitted).__name__, where)
    for weight in fitted.weights:
        if not isinstance(weight, np.ndarray) or weight.dtype.hasobject:
            rule = "`weights` holds NumPy arrays of numbers"
            raise ContractError(model.kind, rule, type(weight).__name__, where)
    try:
        json.dumps(dict(fitted.state), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractError(model.kind, "`state` is JSON", str(error), where) from error
    for member in fitted.members:
        check_fitted(member.model, member, where)

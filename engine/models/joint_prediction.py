"""Forecasts of one symbol by a fit that forecasts several together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from engine.core.part_origin import find_external_parts
from engine.models.dataset import Prediction

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs
    from engine.models.forecaster import FittedForecaster

_NEWEST: WeakKeyDictionary[FittedForecaster, tuple[bytes, Prediction]] = WeakKeyDictionary()
"""Of each fit that is alive, what it predicted last, and of which inputs: each symbol asks for the
same forecasts. A user's network is asked each time."""


def predict_symbol(
    forecaster: FittedForecaster, inputs: ModelInputs, rows: IntVector, symbol: str
) -> Prediction:
    """What a joint fit predicts of one symbol.

    Args:
        forecaster: The fit of all `inputs.symbols`.
        inputs: Scaled inputs of all of them.
        rows: (n,) rows to predict.
        symbol: One of the symbols.
    """
    together = _predict_together(forecaster, inputs, rows)
    width, place = len(inputs.horizons), inputs.symbols.index(symbol)
    columns = slice(place * width, (place + 1) * width)

    def own(values: np.ndarray) -> np.ndarray:
        chosen = values[:, columns]
        return chosen[:, 0] if width == 1 else chosen

    quantiles = together.quantiles
    return Prediction(own(together.returns), None if quantiles is None else own(quantiles))


def _predict_together(
    forecaster: FittedForecaster, inputs: ModelInputs, rows: IntVector
) -> Prediction:
    if any(find_external_parts(forecaster.model)):
        return forecaster.predict(inputs, rows)
    asked = _digest(inputs, rows)
    known = _NEWEST.get(forecaster)
    if known is None or known[0] != asked:
        known = asked, forecaster.predict(inputs, rows)
        _NEWEST[forecaster] = known
    return known[1]


def _digest(inputs: ModelInputs, rows: IntVector) -> bytes:
    """Of everything that the forecasts depend on."""
    digest = hashlib.sha256()
    coarse = [array for part in inputs.coarse for array in (part.inputs, part.latest)]
    for array in (inputs.inputs, rows, *coarse):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()

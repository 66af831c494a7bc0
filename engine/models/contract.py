"""What a prediction of a model that is not the engine's own has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import ContractError

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs, Prediction


def check_prediction(
    kind: str, inputs: ModelInputs, rows: IntVector, prediction: Prediction
) -> None:
    """Refuses a prediction that is not one finite return a row and horizon, of each symbol.

    Args:
        kind: The kind of the model that predicted.
        inputs: What it predicted from.
        rows: (n,) the rows of the inputs.
        prediction: What `predict` returned.

    Raises:
        ContractError: The first rule that is broken.
    """
    values: Any = getattr(prediction, "returns", None)
    columns = len(inputs.horizons) * max(1, len(inputs.symbols))
    shape = (len(rows),) if columns == 1 else (len(rows), columns)
    if not isinstance(values, np.ndarray) or values.shape != shape:
        found = f"{type(values).__name__} of shape {np.shape(values)}"
        rule = f"predict returns a Prediction whose `returns` have the shape {shape}"
        raise ContractError(kind, rule, found)
    if not np.issubdtype(values.dtype, np.floating):
        rule = "`returns` holds floating-point numbers"
        raise ContractError(kind, rule, str(values.dtype))
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise ContractError(kind, "`returns` is finite", f"{bad} of {values.size} are not")

"""Forecasts of several symbols at once, where one fit serves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.models.dataset import CoarseInputs, Prediction

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs
    from engine.models.fitted_model import FeatureRows, FittedModel


@dataclass(frozen=True, eq=False)
class PredictionRequest:
    """What `FittedModel.predict` takes.

    Attributes:
        model: A fitted model.
        rows: Unscaled features.
        at: (n,) rows to predict.
    """

    model: FittedModel
    rows: FeatureRows
    at: IntVector


def predict_requests(requests: Sequence[PredictionRequest]) -> list[Prediction]:
    """`FittedModel.predict` of each request, with its bits.

    Models that share a forecaster, as those of the symbols of one pooled fit do, are predicted by
    one call: the prediction of a row depends on no other row of the call.

    Raises:
        UsageError: As `FittedModel.predict`.
        DataError: As `FittedModel.predict`.
    """
    if len(requests) == 1:
        (only,) = requests
        return [only.model.predict(only.rows, only.at)]
    if any(each.model.input_transform.symbols for each in requests):  # joint fits share theirs
        return [each.model.predict(each.rows, each.at) for each in requests]
    inputs = [each.model.prepare(each.rows, each.at) for each in requests]
    shared: dict[Hashable, list[int]] = {}
    for place, (request, own) in enumerate(zip(requests, inputs, strict=True)):
        shape = (own.branches, own.horizons, own.recursive)
        shared.setdefault((id(request.model.forecaster), shape), []).append(place)
    predictions: dict[int, Prediction] = {}
    for places in shared.values():
        joined, rows = _join([inputs[place] for place in places], [requests[p].at for p in places])
        together = requests[places[0]].model.forecaster.predict(joined, rows)
        stop = 0
        for place in places:
            start, stop = stop, stop + len(requests[place].at)
            predictions[place] = _select(together, slice(start, stop))
    return [predictions[place] for place in range(len(requests))]


def _join(
    inputs: Sequence[ModelInputs], ends: Sequence[IntVector]
) -> tuple[ModelInputs, IntVector]:
    """The inputs one after the other, and the rows to predict among them."""
    first, *others = inputs
    if not others:
        return first, ends[0]
    starts = np.cumsum([0, *(len(each.inputs) for each in inputs)])
    coarse = [
        CoarseInputs(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.latest + start for part, start in _with_starts(parts)]),
            parts[0].groups,
        )
        for parts in zip(*(each.coarse for each in inputs), strict=True)
    ]
    joined = replace(
        first,
        inputs=np.concatenate([each.inputs for each in inputs]),
        trailing=np.concatenate([each.trailing for each in inputs]),
        coarse=tuple(coarse),
        row_symbols=None
        if first.row_symbols is None
        else np.concatenate([each.row_symbols for each in inputs if each.row_symbols is not None]),
    )
    rows = [own + start for own, start in zip(ends, starts[:-1], strict=True)]
    return joined, np.concatenate(rows)


def _with_starts(parts: Sequence[CoarseInputs]) -> list[tuple[CoarseInputs, int]]:
    """Each part with the number of rows before it."""
    starts = np.cumsum([0, *(len(part.inputs) for part in parts[:-1])]).tolist()
    return list(zip(parts, starts, strict=True))


def _select(prediction: Prediction, rows: slice) -> Prediction:
    quantiles = prediction.quantiles
    return Prediction(prediction.returns[rows], None if quantiles is None else quantiles[rows])

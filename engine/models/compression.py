"""Fitted networks with fewer values of their weights, and the size of a forecaster.

The matrices of dense, convolutional and recurrent layers are changed; biases and statistics of
normalisation, a few per cent of the parameters, are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.models.inference import NetworkProgram
from engine.models.networks.base import Network
from engine.models.quantisation import QUANTISED, prune, quantise

if TYPE_CHECKING:
    from engine.models.deployment import DeploySpec
    from engine.models.forecaster import FittedForecaster


@dataclass(frozen=True)
class ModelSize:
    """The fitted arrays of a forecaster and of its members.

    Attributes:
        parameters: Values, without the scales of those in 8 bits.
        nonzero: Those that are not 0.
        size_bytes: Bytes of the arrays in memory.
    """

    parameters: int
    nonzero: int
    size_bytes: int


def compress(fitted: FittedForecaster, deploy: DeploySpec) -> FittedForecaster:
    """The forecaster whose networks have pruned or quantised weights.

    Args:
        fitted: A fit; members that are no networks stay as they are.
        deploy: `prune` and `precision`.

    Raises:
        TrainingError: A network has a layer that only Keras can compute.
    """
    if fitted.members:
        return replace(fitted, members=tuple(compress(each, deploy) for each in fitted.members))
    if not isinstance(fitted.model, Network):
        return fitted
    weights, quantised, scales = list(fitted.weights), [], []
    for position in _matrix_positions(fitted):
        weights[position] = prune(weights[position], deploy.prune)
        if deploy.precision == "int8":
            weights[position], scale = quantise(weights[position])
            quantised.append(position)
            scales.append(scale)
    state = {**fitted.state, QUANTISED: quantised} if quantised else fitted.state
    return replace(fitted, weights=(*weights, *scales), state=state)


def measure_size(fitted: FittedForecaster) -> ModelSize:
    """Parameters and bytes of a forecaster, its members included."""
    members = [measure_size(member) for member in fitted.members]
    scales = len(fitted.state.get(QUANTISED, ()))
    values = fitted.weights[: len(fitted.weights) - scales]
    return ModelSize(
        sum(each.size for each in values) + sum(each.parameters for each in members),
        sum(int(np.count_nonzero(each)) for each in values) + sum(m.nonzero for m in members),
        sum(each.nbytes for each in fitted.weights) + sum(each.size_bytes for each in members),
    )


def _matrix_positions(fitted: FittedForecaster) -> tuple[int, ...]:
    if fitted.state["program"] is None:
        raise TrainingError(
            "a network with a layer that only Keras can compute cannot be deployed",
            expected="a network whose program NumPy runs",
            found=f"{fitted.model.kind}",
            fix="leave `prune` and `precision` out, or use layers of the list in "
            "docs/how-to/own-network.md",
        )
    return NetworkProgram.model_validate(fitted.state["program"]).matrices

"""Predictions of a trained network, row by row: from sequences to outputs to returns."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from engine.core.errors import UsageError
from engine.core.lazy_imports import hide_modules
from engine.core.native_output import mute_native_stderr
from engine.models.dataset import Prediction
from engine.models.inference import NetworkProgram
from engine.models.quantisation import decode_weights
from engine.models.training.losses import TargetScale
from engine.models.training.output_head import OutputLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import Cube, IntVector, Matrix, Vector
    from engine.models.dataset import ColumnGroups, FittedParameters, ModelInputs
    from engine.models.keras_types import KerasModel
    from engine.models.training.backend import Floats
    from engine.models.training.trainable_network import TrainableNetwork

    ForwardPass: TypeAlias = Callable[[Sequence[Floats]], Floats]

ROWS_PER_CALL = 256
"""Rows of a forward pass by Keras, filled up with zeros, and rows whose sequences are in memory.

One shape, so that a row's bits do not depend on the number of rows or on their order.
"""


def describe_outputs(
    layout: OutputLayout, scale: TargetScale, program: dict[str, Any] | None, backend: str
) -> dict[str, Any]:
    """The state of a fitted network: its forward pass, and what its outputs mean.

    Args:
        layout: Columns of the last layer.
        scale: Scale of the training target.
        program: The forward pass as JSON; None where a layer needs Keras.
        backend: What Keras computed with.
    """
    return {
        "program": program,
        "n_returns": layout.n_returns,
        "levels": list(layout.levels),
        "n_inputs": layout.n_inputs,
        **({"symbols": list(layout.symbols)} if layout.symbols else {}),
        **({"embedded": layout.embedded} if layout.embedded else {}),
        "target_mean": np.asarray(scale.mean).tolist(),
        "target_std": np.asarray(scale.std).tolist(),
        "backend": backend,
    }


def predict_rows(
    network: TrainableNetwork, fitted: FittedParameters, inputs: ModelInputs, rows: IntVector
) -> Prediction:
    """Predicts some rows of the inputs.

    Args:
        network: The network's configuration.
        fitted: Its weights and the meaning of its outputs.
        inputs: Scaled inputs.
        rows: (n,) rows to predict.
    """
    served = _served(network, fitted, inputs.branches)
    layout, scale, forward = served.layout, served.scale, served.forward
    count = len(inputs.horizons) if inputs.recursive else layout.n_returns
    shape = (len(rows), count, layout.columns_per_return)
    returns: Cube = np.empty(shape)
    for start in range(0, len(rows), ROWS_PER_CALL):
        chunk = rows[start : start + ROWS_PER_CALL]
        sequences = inputs.branch_sequences(chunk, network.lookback)
        returns[start : start + len(chunk)] = (
            _predict_recursively(forward, sequences, inputs.horizons, layout, scale)
            if inputs.recursive
            else layout.to_returns(forward(sequences), scale)
        )
    median = returns[:, :, layout.median_index]
    return Prediction(
        _squeeze_horizons(median), _squeeze_horizons(returns) if layout.levels else None
    )


@dataclass(frozen=True, eq=False)
class _ServedNetwork:
    """A fitted network, ready for many calls."""

    layout: OutputLayout
    scale: TargetScale
    forward: ForwardPass


_SERVED: WeakKeyDictionary[FittedParameters, _ServedNetwork] = WeakKeyDictionary()
"""Of each fit that is alive and has predicted without Keras; reading its program takes as long as
a hundred forecasts."""


def _served(
    network: TrainableNetwork, fitted: FittedParameters, branches: tuple[ColumnGroups, ...]
) -> _ServedNetwork:
    if (known := _SERVED.get(fitted)) is not None:
        return known
    state = fitted.state
    layout, scale = read_outputs(fitted)
    if state["program"] is None:  # Keras' model is shared, and holds the weights of this call
        return _ServedNetwork(layout, scale, _keras_forward_pass(network, fitted, branches))
    program = NetworkProgram.model_validate(state["program"])
    served = _ServedNetwork(layout, scale, program.bind(decode_weights(fitted)).run)
    _SERVED[fitted] = served
    return served


def read_outputs(fitted: FittedParameters) -> tuple[OutputLayout, TargetScale]:
    """The columns of the last layer of a fitted network, and the scale of its returns."""
    state = fitted.state
    layout = OutputLayout(
        state["n_returns"],
        tuple(state["levels"]),
        state["n_inputs"],
        tuple(state.get("symbols", ())),
        state.get("embedded", 0),
    )
    return layout, TargetScale(np.array(state["target_mean"]), np.array(state["target_std"]))


def _predict_recursively(
    forward: ForwardPass,
    sequences: list[Floats],
    horizons: Sequence[int],
    layout: OutputLayout,
    scale: TargetScale,
) -> Cube:
    """Returns over each horizon: prod_i (1 + r_i) - 1 over the bars up to it, (n, m, 1).

    r_i is the forecast of bar t + i. The network forecasts it together with the inputs of that
    bar, which are appended to the sequence for bar t + i + 1, and the oldest bar is dropped.
    Coarser branches stay as at bar t. This is the recursive (iterated) strategy of Ben Taieb,
    Bontempi, Atiya & Sorjamaa (2012), Expert Systems with Applications 39(8), for several series.
    """
    base, *coarse = sequences
    growth = np.ones(len(base))
    by_horizon = []
    for step in range(1, horizons[-1] + 1):
        outputs = forward([base, *coarse])
        growth = growth * (1 + layout.to_returns(outputs, scale)[:, 0, 0])
        if step in horizons:
            by_horizon.append(growth - 1)
        base = np.concatenate([base[:, 1:], outputs[:, None, -layout.n_inputs :]], axis=1)
    return np.column_stack(by_horizon)[:, :, None]


def _keras_forward_pass(
    network: TrainableNetwork,
    fitted: FittedParameters,
    branches: tuple[ColumnGroups, ...],
) -> ForwardPass:
    """The forward pass of a network with a layer that only Keras computes."""
    model = load_keras_model(network, fitted, branches)
    real = np.ones(ROWS_PER_CALL, dtype=bool)

    def run(sequences: Sequence[Floats]) -> Floats:
        rows = len(sequences[0])
        padded = [np.zeros((ROWS_PER_CALL, *x.shape[1:]), np.float32) for x in sequences]
        for target, values in zip(padded, sequences, strict=True):
            target[:rows] = values
        outputs: Floats = np.asarray(model.predict_on_batch([*padded, real]))[:rows]
        return outputs

    return run


def load_keras_model(
    network: TrainableNetwork, fitted: FittedParameters, branches: tuple[ColumnGroups, ...]
) -> KerasModel:
    """The Keras model of a fit, with its weights; the model of a shape is one object.

    The Keras of this process has to be that of the fit.

    Raises:
        UsageError: It computes with another backend.
    """
    require_backend(fitted.state["backend"])
    layout, _ = read_outputs(fitted)
    model = _cached_model(network, branches, layout)
    for variable, value in zip(model.variables, decode_weights(fitted), strict=True):
        variable.assign(value)
    return model


@lru_cache(maxsize=16)
def _cached_model(
    network: TrainableNetwork, branches: tuple[ColumnGroups, ...], layout: OutputLayout
) -> KerasModel:
    return layout.build_model(network, branches)


def require_backend(backend: str) -> None:
    """Loads Keras on a backend, or refuses where this process has loaded another."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Keras' imports for plots and scikit-learn wrappers take a second.
    with hide_modules("matplotlib", "matplotlib.pyplot", "sklearn"), mute_native_stderr():
        import keras

    found = keras.backend.backend()
    if found != backend:
        raise UsageError(
            "a network predicts with the Keras backend that it was trained with",
            expected=f"{backend}, for a network whose layers need Keras to predict",
            found=f"{found} in this process",
            fix=f"start Python with KERAS_BACKEND={backend}",
        )


def _squeeze_horizons(values: Cube | Matrix) -> Matrix | Vector:
    """Without the axis of the horizons where there is only one."""
    return values[:, 0] if values.shape[1] == 1 else values

"""The smallest network, whose outputs can be computed by hand from its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.models.networks.base import Network

if TYPE_CHECKING:
    from engine.models import ModelInputs


class Tiny(Network):
    """Two dense layers over the flattened lookback; `l2` is a penalty on the first."""

    kind: Literal["tiny"] = "tiny"
    lookback: int = 2
    l2: float = 0.0

    def build_backbone(self, series, normalise):
        import keras

        x = keras.layers.Flatten()(keras.ops.concatenate(series, axis=-1))
        penalty = keras.regularizers.L2(self.l2) if self.l2 else None
        return keras.layers.Dense(5, activation="tanh", kernel_regularizer=penalty)(x)


def outputs_by_hand(weights, inputs: ModelInputs, rows) -> np.ndarray:
    """(n, outputs) of Tiny, in plain NumPy."""
    first, first_bias, second, second_bias = weights
    x = inputs.sequences(rows, 2).reshape(len(rows), -1)
    return np.tanh(x @ first + first_bias) @ second + second_bias

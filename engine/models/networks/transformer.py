"""Transformer: a small encoder with causal attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from engine.models.inference import NetworkProgram
from engine.models.networks.base import Network
from engine.models.quantisation import decode_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs
    from engine.models.forecaster import FittedForecaster
    from engine.models.keras_types import Tensor


class Transformer(Network):
    """z = W x + positions; `layers` times: z += attention(norm z), z += dense(norm z); norm z_L.

    Attention is causal: softmax(Q K' / sqrt(d)) V over the steps up to each one. Only the newest
    step is passed on, which attends to the whole lookback.
    Shapes: (batch, lookback, k) -> (batch, lookback, width) -> (batch, width).
    Source: Vaswani et al. (2017), NeurIPS, with its sinusoidal positions; the norm comes before
    each block, so that the learning rate needs no warm-up (Xiong et al. 2020, ICML).

    Attributes:
        width: Size of every step's vector; a multiple of `heads`.
        heads: Attention heads; each has `width` / `heads` dimensions.
        layers: Encoder blocks.
        feed_forward: Neurons of the dense layer inside a block.
        dropout: Dropout after the attention and after the dense layers of each block.
    """

    kind: Literal["transformer"] = "transformer"
    width: int = Field(default=32, ge=2, le=1024)
    heads: int = Field(default=4, ge=1, le=64)
    layers: int = Field(default=2, ge=1, le=12)
    feed_forward: int = Field(default=64, ge=1, le=4096)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _check_width_divisible(self) -> Transformer:
        if self.width % self.heads:
            raise ValueError(
                f"width is {self.width} and heads is {self.heads}; make width a multiple of heads"
            )
        return self

    @override
    def build_backbone(
        self,
        series: Sequence[Tensor],
        normalise: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All series concatenated as one vector per step."""
        import keras

        x = keras.layers.Dense(self.width)(keras.ops.concatenate(series, axis=-1))
        x = x + sinusoidal_positions(self.lookback, self.width)
        for number in range(self.layers):
            x = self._block(x, f"block_{number}")
        return keras.layers.LayerNormalization(epsilon=1e-6)(x[:, -1])

    def attention_weights(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> list[npt.NDArray[np.float32]]:
        """How much each step attends to each step up to it, in each block.

        These are the weights at the bars' own interval; coarser intervals have their own blocks.

        Args:
            fitted: A fit of this forecaster.
            inputs: Scaled inputs.
            rows: (n,) rows of the inputs.

        Returns:
            For each block (n, heads, lookback, lookback), oldest step first; the last axis sums
            to 1.
        """
        program = NetworkProgram.model_validate(fitted.state["program"])
        sequences = inputs.branch_sequences(rows, self.lookback)
        return program.attention_weights(decode_weights(fitted), sequences)[: self.layers]

    def _block(self, x: Tensor, name: str) -> Tensor:
        from keras import layers

        # Without biases, as in the paper: softmax cancels the bias of K, whose gradient is
        # rounding error, from which Adam would make a random walk.
        attend = layers.MultiHeadAttention(self.heads, self.width // self.heads, use_bias=False)
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        attended = attend(normal, normal, use_causal_mask=True)
        x = x + layers.Dropout(self.dropout)(attended)
        dense = layers.Dense(self.feed_forward, activation="relu")
        transformed = layers.Dense(self.width)(dense(layers.LayerNormalization(epsilon=1e-6)(x)))
        return layers.Add(name=name)([x, layers.Dropout(self.dropout)(transformed)])


def sinusoidal_positions(steps: int, width: int) -> npt.NDArray[np.float32]:
    """Sine and cosine of step / 10000^(2 i / width), alternating: (steps, width)."""
    angles: npt.NDArray[Any] = np.arange(steps)[:, None] / 10_000 ** (
        2 * (np.arange(width) // 2) / width
    )
    positions: npt.NDArray[np.float32] = np.where(
        np.arange(width) % 2, np.cos(angles), np.sin(angles)
    ).astype(np.float32)
    return positions

"""Attention over the symbols of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from engine.core.errors import UsageError
from engine.models.inference import NetworkProgram
from engine.models.networks.asset_network import AssetFeatures, AssetNetwork, build_heads
from engine.models.quantisation import decode_weights

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.models.dataset import FittedParameters, ModelInputs
    from engine.models.keras_types import Tensor

WEIGHTS_LAYER = "asset_weights"


class AssetAttention(AssetNetwork):
    """x_i = W trunk(symbol i); z_i = x_i + attention of i over the symbols; a head for each.

    softmax(Q K' / sqrt(d)) V over the symbols that are present at the bar, for each head; then the
    norm of z_i and a linear layer of symbol i. Shapes: (batch, lookback, columns) for each symbol
    -> (batch, symbols, width) -> (batch, symbols, outputs). Source: Vaswani et al. (2017),
    NeurIPS, with the norm before the attention (Xiong et al. 2020, ICML); over assets as in Wang
    et al. (2019), AlphaStock, KDD.

    Attributes:
        width: Size of a symbol's vector; a multiple of `heads`.
        heads: Attention heads; each has `width` / `heads` dimensions.
        dropout: After the trunk and after the attention.
    """

    kind: Literal["asset_attention"] = "asset_attention"
    width: int = Field(default=32, ge=2, le=1024)
    heads: int = Field(default=4, ge=1, le=64)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _check_heads(self) -> AssetAttention:
        if self.width % self.heads:
            raise ValueError(
                f"width is {self.width} and heads is {self.heads}; make width a multiple of heads"
            )
        return self

    @override
    def build_forecasts(
        self, assets: AssetFeatures, symbols: tuple[str, ...], outputs: int
    ) -> Tensor:
        """Attention, and the head of each symbol."""
        from keras import layers, ops

        count, size = len(symbols), self.width // self.heads

        def split_heads(x: Tensor) -> Tensor:
            return ops.transpose(ops.reshape(x, (-1, count, self.heads, size)), (0, 2, 1, 3))

        x = layers.Dropout(self.dropout)(layers.Dense(self.width)(assets.values))
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        # Without biases: softmax cancels that of the keys, as in `transformer`.
        query, key, value = (
            split_heads(layers.Dense(self.width, use_bias=False)(normal)) for _ in range(3)
        )
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * size**-0.5
        present = ops.expand_dims(ops.expand_dims(assets.present, 1), 1)
        weights = layers.Softmax(name=WEIGHTS_LAYER)(ops.where(present > 0.0, scores, -1e9))
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        joined = layers.Dense(self.width)(ops.reshape(attended, (-1, count, self.width)))
        x = x + layers.Dropout(self.dropout)(joined)
        return build_heads(layers.LayerNormalization(epsilon=1e-6)(x), outputs)

    def attention_weights(
        self, fitted: FittedParameters, inputs: ModelInputs, rows: IntVector
    ) -> npt.NDArray[np.float32]:
        """How much each symbol attends to each other: (n, heads, symbols, symbols).

        The last axis sums to 1; a symbol that is absent at the bar has 0 there.

        Args:
            fitted: The fit.
            inputs: Scaled inputs.
            rows: (n,) rows of the inputs.

        Raises:
            UsageError: The trunk has a layer that only Keras computes.
        """
        if fitted.state["program"] is None:
            raise UsageError(
                "the attention weights of this network cannot be read",
                expected="a trunk that NumPy computes",
                found=f"{self.trunk.kind} with a layer that needs Keras",
                fix="use layers of the list in docs/how-to/own-network.md",
            )
        program = NetworkProgram.model_validate(fitted.state["program"])
        bound = program.bind(decode_weights(fitted), layer=WEIGHTS_LAYER)
        return bound.run(inputs.branch_sequences(rows, self.lookback))

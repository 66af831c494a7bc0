"""MLP: dense layers on the flattened lookback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from typing_extensions import override

from engine.models.networks.base import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor


class Mlp(Network):
    """x <- dropout(relu(W x + b)), layer by layer, on the concatenated bars of the lookback.

    Shapes: (batch, lookback, k) -> (batch, lookback * k) -> (batch, dense[-1]).
    Source: Rumelhart, Hinton & Williams (1986), Nature 323; dropout of Srivastava et al. (2014).

    Attributes:
        dense: Neurons of each layer.
        dropout: After each layer.
    """

    kind: Literal["mlp"] = "mlp"
    lookback: int = Field(default=10, ge=2, le=500)
    dense: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        default=(64, 32), min_length=1, max_length=8
    )
    dropout: float = Field(default=0.2, ge=0, lt=1)

    @override
    def build_backbone(
        self,
        series: Sequence[Tensor],
        normalise: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All series concatenated and flattened."""
        from keras import layers, ops

        x = layers.Flatten()(ops.concatenate(series, axis=-1))
        for neurons in self.dense:
            x = layers.Dropout(self.dropout)(layers.Dense(neurons, activation="relu")(x))
        return x

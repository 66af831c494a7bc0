"""GRU: one to three gated recurrent layers over all series concatenated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from typing_extensions import override

from engine.models.networks.base import Network
from engine.models.networks.recurrent_layers import (
    LayerUnits,
    gru_layer,
    l1_l2_penalty,
    stack_layers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor


class Gru(Network):
    """h_t = z_t h_{t-1} + (1 - z_t) tanh(W x_t + r_t U h_{t-1}), stacked; z and r are gates.

    Shapes: (batch, lookback, k) -> (batch, units[-1]), twice that if bidirectional. It has a
    quarter fewer weights than an LSTM of the same size.
    Source: Cho et al. (2014), EMNLP; dropout and penalties as in `lstm`.

    Attributes:
        units: Size of each layer.
        dropout: After each layer; there is none on the recurrent connections.
        bidirectional: Each layer also reads the lookback backwards.
        l1: Adds l1 times the sum of |w| over every layer's input weights to the training loss.
        l2: Adds l2 times the sum of w^2 over the same weights.
    """

    kind: Literal["gru"] = "gru"
    units: LayerUnits = (50,)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    bidirectional: bool = False
    l1: float = Field(default=0.0, ge=0)
    l2: float = Field(default=0.0, ge=0)

    @override
    def build_backbone(
        self,
        series: Sequence[Tensor],
        normalise: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All series concatenated, then the layers."""
        import keras

        return stack_layers(
            gru_layer,
            keras.ops.concatenate(series, axis=-1),
            self.units,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            penalty=l1_l2_penalty(self.l1, self.l2),
        )

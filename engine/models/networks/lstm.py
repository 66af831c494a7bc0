"""LSTM: one to three recurrent layers over all series concatenated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from typing_extensions import override

from engine.models.networks.base import Network
from engine.models.networks.recurrent_layers import (
    LayerUnits,
    l1_l2_penalty,
    lstm_layer,
    stack_layers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor


class Lstm(Network):
    """h_t = LSTM(h_{t-1}, x_t), stacked; the last layer's last state is the features.

    Shapes: (batch, lookback, k) -> (batch, units[-1]), twice that if bidirectional.
    Source: Hochreiter & Schmidhuber (1997), Neural Computation 9(8). Dropout is applied
    between the layers and not to the recurrent connections (Zaremba et al. 2014); so are the
    penalties.

    Attributes:
        units: Size of each layer.
        dropout: After each layer.
        bidirectional: Each layer also reads the lookback backwards.
        l1: Adds l1 times the sum of |w| over every layer's input weights to the training loss.
        l2: Adds l2 times the sum of w^2 over the same weights.
    """

    kind: Literal["lstm"] = "lstm"
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
            lstm_layer,
            keras.ops.concatenate(series, axis=-1),
            self.units,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            penalty=l1_l2_penalty(self.l1, self.l2),
        )

"""LSTM: one to three recurrent layers over all series side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.models.network import Network
from engine.models.recurrent import lstm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.untyped import Tensor


class Lstm(Network):
    """h_t = LSTM(h_{t-1}, x_t), stacked; the last layer's last state is the forecast's features.

    Shapes: (batch, lookback, k) -> (batch, units[-1]), twice that if bidirectional.
    Dropout stands between the layers and leaves the recurrent connections alone
    (Zaremba et al. 2014).

    Attributes:
        units: Size of each layer.
        dropout: After each layer.
        bidirectional: Each layer also reads the lookback backwards.
    """

    kind: Literal["lstm"] = "lstm"
    units: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(50,), min_length=1, max_length=3
    )
    dropout: float = Field(default=0.2, ge=0, lt=1)
    bidirectional: bool = False

    def head(self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]) -> Tensor:  # noqa: ARG002
        """All series concatenated, then the layers."""
        import keras

        x = keras.ops.concatenate(series, axis=-1)
        for depth, units in enumerate(self.units, start=1):
            inner = depth < len(self.units)
            x = lstm(x, units, every_step=inner, bidirectional=self.bidirectional)
            x = keras.layers.Dropout(self.dropout)(x)
        return x

"""MICDL: the multiple-input cryptocurrency deep learning model of Livieris et al. (2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from engine.models.networks.base import Network
from engine.models.networks.cnn_lstm import conv_pool_lstm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor


class Micdl(Network):
    """A convolution - pooling - LSTM branch per series, concatenated, then two dense layers.

    Shapes: s series of (batch, lookback, k_s) -> s x (batch, units) -> (batch, s * units)
    -> (batch, 256) -> (batch, 64), batch norm and dropout after each dense layer.
    Source: Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287,
    section 5; here for one series or more.

    Attributes:
        filters: Filters of each branch's convolution.
        units: Size of the state of each branch's LSTM.
        dense: Neurons of the two dense layers.
        dropout: Dropout after each of them.
    """

    kind: Literal["micdl"] = "micdl"
    lookback: int = Field(default=14, ge=4, le=500)
    filters: int = Field(default=16, ge=1, le=512)
    units: int = Field(default=50, ge=1, le=1024)
    dense: tuple[int, int] = (256, 64)
    dropout: tuple[float, float] = (0.3, 0.2)

    def build_backbone(
        self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """A branch per series, concatenated, then the dense layers."""
        import keras

        branches = [conv_pool_lstm(x, self.filters, self.units) for x in series]
        x = keras.ops.concatenate(branches, axis=-1)
        for neurons, rate in zip(self.dense, self.dropout, strict=True):
            x = keras.layers.Dense(neurons, activation="relu")(x)
            x = keras.layers.Dropout(rate)(normalise(x))
        return x

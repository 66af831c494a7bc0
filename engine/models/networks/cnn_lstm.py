"""CNN-LSTM: a convolution over neighbouring bars, then an LSTM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from engine.models.networks.base import Network
from engine.models.networks.recurrent_layers import lstm_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor

PRESETS: dict[str, dict[str, float]] = {
    "model1": {"filters": 16, "dense": 64, "lstm_dropout": 0.4},
    "model2": {"filters": 32, "dense": 128, "lstm_dropout": 0.5},
}
"""The two single-input networks that Livieris et al. (2021), section 5, compare MICDL with."""


class CnnLstm(Network):
    """Convolution(2) - average pooling(2) - LSTM - dense, with batch norm and dropout after both.

    Shapes: (batch, lookback, k) -> (batch, lookback - 1, filters) -> (batch, ., filters)
    -> (batch, units) -> (batch, dense). Source: Livieris et al. 2021, section 5.

    Attributes:
        preset: `model1` or `model2` of the paper; sets the attributes that are not given.
        filters: Filters of the convolution.
        units: Size of the LSTM's state.
        dense: Neurons of the dense layer.
        lstm_dropout: Dropout after the LSTM.
        dense_dropout: Dropout after the dense layer.
    """

    kind: Literal["cnn_lstm"] = "cnn_lstm"
    lookback: int = Field(default=14, ge=4, le=500)
    preset: Literal["model1", "model2"] | None = None
    filters: int = Field(default=16, ge=1, le=512)
    units: int = Field(default=50, ge=1, le=1024)
    dense: int = Field(default=64, ge=1, le=4096)
    lstm_dropout: float = Field(default=0.4, ge=0, lt=1)
    dense_dropout: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("preset") in PRESETS:
            return {**PRESETS[given["preset"]], **given}
        return given

    def build_backbone(
        self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """All series concatenated as channels of one convolution."""
        import keras

        x = keras.ops.concatenate(series, axis=-1)
        x = conv_pool_lstm(x, self.filters, self.units)
        x = keras.layers.Dropout(self.lstm_dropout)(normalise(x))
        x = keras.layers.Dense(self.dense, activation="relu")(x)
        return keras.layers.Dropout(self.dense_dropout)(normalise(x))


def conv_pool_lstm(x: Tensor, filters: int, units: int) -> Tensor:
    """Convolution of width 2, average pooling of width 2, LSTM: (batch, units).

    The pools are aligned with the newest step. Keras aligns them with the oldest, which for an
    even lookback drops the newest step, the only one that contains the bar of the decision.
    """
    import keras

    x = keras.layers.Conv1D(filters, 2, activation="relu")(x)
    return lstm_layer(keras.layers.AveragePooling1D(2)(x[:, x.shape[1] % 2 :]), units)

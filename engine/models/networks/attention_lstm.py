"""LSTM with attention over the bars of the lookback; the attention weights can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from engine.models.inference import NetworkProgram
from engine.models.networks.base import Network
from engine.models.networks.recurrent_layers import lstm_layer
from engine.models.quantisation import decode_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import IntVector, Matrix
    from engine.models.dataset import ModelInputs
    from engine.models.forecaster import FittedForecaster
    from engine.models.keras_types import Tensor

ATTENTION_LAYER = "attention"


class AttentionLstm(Network):
    """e_t = v tanh(W h_t + U h_L + b), a = softmax(e), features = [sum_t a_t h_t, h_L].

    h_1 .. h_L are the LSTM's states over the lookback of L bars. The newest state is the query,
    all states are keys, and a_t is the weight of bar t. Shapes: (batch, lookback, k) -> states
    (batch, lookback, units) -> a (batch, lookback) -> (batch, 2 * units). Source: the score is
    that of Bahdanau, Cho & Bengio (2015), ICLR; the context is concatenated with the query state
    as in Luong, Pham & Manning (2015), EMNLP.

    Attributes:
        units: Size of the LSTM's state.
        attention_units: Rows of W and U.
        dropout: After the features; there is none on the recurrent connections.
    """

    kind: Literal["attention_lstm"] = "attention_lstm"
    units: int = Field(default=50, ge=1, le=1024)
    attention_units: int = Field(default=32, ge=1, le=1024)
    dropout: float = Field(default=0.2, ge=0, lt=1)

    @override
    def build_backbone(
        self,
        series: Sequence[Tensor],
        normalise: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All series concatenated, the LSTM, and the attention over its states."""
        import keras
        from keras import layers, ops

        states = lstm_layer(ops.concatenate(series, axis=-1), self.units, return_sequences=True)
        newest = states[:, -1]
        query = layers.Dense(self.attention_units, use_bias=False)(newest)
        keys = layers.Dense(self.attention_units)(states)
        scores = layers.Dense(1, use_bias=False)(ops.tanh(keys + ops.expand_dims(query, 1)))
        attention = layers.Softmax(axis=-1, name=ATTENTION_LAYER)(ops.squeeze(scores, axis=-1))
        context = ops.sum(ops.expand_dims(attention, -1) * states, axis=1)
        return keras.layers.Dropout(self.dropout)(ops.concatenate([context, newest], axis=-1))

    def attention_weights(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Matrix:
        """The attention weight of each bar of the lookback in the forecasts of some rows.

        These are the weights at the bars' own interval; coarser intervals have their own
        attention.

            fitted = model.fit(training_set, training, seed=1)
            weights = model.attention_weights(fitted, training_set, training_set.validation)

        Args:
            fitted: A fit of this forecaster.
            inputs: Scaled inputs.
            rows: (n,) rows of the inputs.

        Returns:
            (n, lookback), oldest bar first; each row sums to 1.
        """
        program = NetworkProgram.model_validate(fitted.state["program"])
        sequences = inputs.branch_sequences(rows, self.lookback)
        attention = program.run(decode_weights(fitted), sequences, layer=ATTENTION_LAYER)
        return attention.astype(np.float64)

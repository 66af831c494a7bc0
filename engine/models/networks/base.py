"""The base of all networks: inputs split into series, one training loop, one last layer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from engine.models.forecaster import FittedForecaster, Forecaster
from engine.models.keras_types import SYMBOL_EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.types import IntVector
    from engine.models.dataset import ColumnGroups, ModelInputs, Prediction, TrainingSet
    from engine.models.keras_types import KerasModel, Tensor
    from engine.models.training.config import TrainingSpec


class Network(Forecaster):
    """A Keras network from sequences to scaled returns, or several quantiles of each.

    Every interval of the inputs has its own layers, a branch, up to the last layer. A subclass is
    final and defines `build_backbone` only. A batch may hold rows of padding: `normalise` leaves
    them out of the batch's statistics, and the loss gives them the weight 0.

    Attributes:
        lookback: Bars in a sequence.
        symbol_embedding: Size of a vector that is learnt for each symbol of a pooled fit and is
            an input at every step; 0 is none. A symbol that was not among them has the mean.
    """

    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    multi_output: ClassVar[bool] = True

    lookback: int = Field(default=30, ge=2, le=500)
    symbol_embedding: int = Field(default=0, ge=0, le=64, exclude_if=lambda size: size == 0)

    @abstractmethod
    def build_backbone(
        self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Layers from the series to the features of the last layer.

        Args:
            series: One (batch, lookback, columns) tensor per symbol.
            normalise: Batch normalisation over the real rows of a batch.

        Returns:
            (batch, features).
        """

    def build_model(self, branches: tuple[ColumnGroups, ...], outputs: int = 1) -> KerasModel:
        """The Keras model, uncompiled.

        Args:
            branches: Columns of each series, for each interval.
            outputs: Columns of the last layer.

        Returns:
            A model from [(batch, lookback, k) for each branch, (batch,) real rows] to
            (batch, outputs).
        """
        import keras

        inputs, real = self.build_inputs(branches)
        predicted = self._build_outputs(inputs, branches, real, outputs)
        return keras.Model([*inputs, real], predicted)

    def build_joint_model(
        self, branches: tuple[ColumnGroups, ...], outputs: int, symbols: tuple[str, ...]
    ) -> KerasModel:
        """The Keras model that forecasts several symbols, uncompiled.

        The layers up to the last one are shared by the symbols and see the inputs of all of them;
        each symbol has a linear layer of its own, its columns of the last. Inputs of a symbol that
        is absent at a bar are 0, the mean of its train rows.

        Args:
            branches: Columns of each symbol, for each interval.
            outputs: Columns of the last layer, as many for each symbol, symbol by symbol.
            symbols: The names, in the order of the columns.

        Returns:
            As `build_model`; inputs of an absent symbol may be NaN.
        """
        import keras

        assert outputs % len(symbols) == 0
        inputs, real = self.build_inputs(branches)
        known = [keras.ops.where(keras.ops.isfinite(x), x, 0.0) for x in inputs]
        predicted = self._build_outputs(known, branches, real, outputs)
        return keras.Model([*inputs, real], predicted)

    def build_embedded_model(
        self, branches: tuple[ColumnGroups, ...], outputs: int, symbols: int
    ) -> KerasModel:
        """The Keras model that knows which symbol a row is of, uncompiled.

        The vector of the symbol is a further input at every step of each interval. Source: Guo &
        Berkhahn (2016), entity embeddings of categorical variables.

        Args:
            branches: Columns of each series, for each interval.
            outputs: Columns of the last layer.
            symbols: How many have a vector; the number after the last is any other symbol.

        Returns:
            As `build_model`, with an input (batch, 1, 1), the number of the symbol, before the
            real rows.
        """
        from keras import Input, Model, layers, ops

        inputs, real = self.build_inputs(branches)
        number = Input((1, 1), name="symbol")
        vectors = layers.Embedding(
            symbols + 1,
            self.symbol_embedding,
            embeddings_initializer="glorot_uniform",
            name=SYMBOL_EMBEDDING,
        )
        of_row = ops.reshape(vectors(ops.reshape(number, (-1, 1))), (-1, self.symbol_embedding))
        own = layers.RepeatVector(self.lookback)(of_row)
        widths = [sum(map(len, groups)) for groups in branches]
        joined = [ops.concatenate([x, own], axis=-1) for x in inputs]
        grouped = tuple(
            (*groups, tuple(range(width, width + self.symbol_embedding)))
            for groups, width in zip(branches, widths, strict=True)
        )
        return Model([*inputs, number, real], self._build_outputs(joined, grouped, real, outputs))

    def build_inputs(self, branches: tuple[ColumnGroups, ...]) -> tuple[list[Tensor], Tensor]:
        """The inputs of each interval, and which rows are real."""
        import keras

        real = keras.Input((), dtype="bool", name="real")
        inputs = [
            keras.Input((self.lookback, sum(map(len, groups))), name=f"inputs_{index}")
            for index, groups in enumerate(branches)
        ]
        return inputs, real

    def _build_outputs(
        self,
        inputs: Sequence[Tensor],
        branches: tuple[ColumnGroups, ...],
        real: Tensor,
        outputs: int,
    ) -> Tensor:
        import keras

        features = [
            self._build_branch(x, groups, real, nested=index > 0)
            for index, (x, groups) in enumerate(zip(inputs, branches, strict=True))
        ]
        merged = keras.ops.concatenate(features, axis=-1) if len(features) > 1 else features[0]
        return keras.layers.Dense(outputs, name="predicted")(merged)

    def _build_branch(
        self, inputs: Tensor, groups: ColumnGroups, real: Tensor, *, nested: bool
    ) -> Tensor:
        import keras

        def normalise(x: Tensor) -> Tensor:
            return keras.layers.BatchNormalization()(x, mask=real)

        series = [keras.ops.take(inputs, list(group), axis=-1) for group in groups]
        features = self.build_backbone(series, normalise)
        if nested:  # a nested model: its layers may have the names of the first branch's layers
            return keras.Model([inputs, real], features)([inputs, real])
        return features

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        """Trains from scratch, or from the fit before; see `engine.models.training.loop`.

        Raises:
            TrainingError: As `train_network`, or every prediction is the same.
        """
        from engine.models.training.loop import check_predictions_vary, train_network

        fitted = FittedForecaster(self, *train_network(self, training_set, training, seed))
        returns = fitted.predict(training_set, training_set.train).returns
        if training_set.symbols:  # a symbol without one train row is not forecast
            known = np.isfinite(training_set.target[training_set.train]).any(axis=0)
            returns = returns.reshape(len(returns), -1)[:, known]
        check_predictions_vary(returns)
        return fitted

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """A forward pass; see `engine.models.training.prediction`."""
        from engine.models.training.prediction import predict_rows

        return predict_rows(self, fitted, inputs, rows)

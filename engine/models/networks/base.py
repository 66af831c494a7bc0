"""The base of all networks: inputs split into series, one training loop, one last layer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.models.forecaster import FittedForecaster, Forecaster

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
    """

    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    multi_output: ClassVar[bool] = True

    lookback: int = Field(default=30, ge=2, le=500)

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

        real = keras.Input((), dtype="bool", name="real")
        inputs = [
            keras.Input((self.lookback, sum(map(len, groups))), name=f"inputs_{index}")
            for index, groups in enumerate(branches)
        ]
        features = [
            self._build_branch(x, groups, real, nested=index > 0)
            for index, (x, groups) in enumerate(zip(inputs, branches, strict=True))
        ]
        merged = keras.ops.concatenate(features, axis=-1) if len(features) > 1 else features[0]
        predicted = keras.layers.Dense(outputs, name="predicted")(merged)
        return keras.Model([*inputs, real], predicted)

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
        check_predictions_vary(fitted.predict(training_set, training_set.train).returns)
        return fitted

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """A forward pass; see `engine.models.training.prediction`."""
        from engine.models.training.prediction import predict_rows

        return predict_rows(self, fitted, inputs, rows)

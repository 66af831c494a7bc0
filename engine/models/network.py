"""What all networks share: inputs cut into series, one training loop, one output."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from engine.models.forecaster import Forecast, Forecaster, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.training_spec import Training
    from engine.models.untyped import KerasModel, Tensor


class Network(Forecaster):
    """A Keras network from sequences to the scaled return, or several quantiles of it.

    A subclass is final and says only `head`; a batch may hold rows of padding, which
    `normalise` leaves out of the batch's statistics and the loss weighs with 0.
    """

    costly: ClassVar[bool] = True
    random: ClassVar[bool] = True
    joint: ClassVar[bool] = True

    lookback: int = Field(default=30, ge=2, le=500)

    @abstractmethod
    def head(self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]) -> Tensor:
        """Layers from the series to the features of the last layer.

        Args:
            series: One (batch, lookback, columns) tensor a symbol.
            normalise: Batch normalisation over the real rows of a batch.

        Returns:
            (batch, features).
        """

    def build(self, groups: tuple[tuple[int, ...], ...], outputs: int = 1) -> KerasModel:
        """The Keras model, uncompiled: [(batch, lookback, k), (batch,)] to (batch, outputs)."""
        import keras

        columns = sum(len(group) for group in groups)
        inputs = keras.Input((self.lookback, columns), name="inputs")
        real = keras.Input((), dtype="bool", name="real")

        def normalise(x: Tensor) -> Tensor:
            return keras.layers.BatchNormalization()(x, mask=real)

        series = [keras.ops.take(inputs, list(group), axis=-1) for group in groups]
        features = self.head(series, normalise)
        predicted = keras.layers.Dense(outputs, name="predicted")(features)
        return keras.Model([inputs, real], predicted)

    def forecast(self, problem: Problem, training: Training, seed: int) -> Forecast:
        """Trains from scratch and forecasts; see `engine.models.loop`."""
        from engine.models.loop import train_and_forecast

        return train_and_forecast(self, problem, training, seed)

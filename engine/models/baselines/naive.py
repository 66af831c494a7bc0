"""Naive forecasters: persistence, drift and always up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from typing_extensions import override

from engine.models.dataset import Prediction
from engine.models.forecaster import FittedForecaster, Forecaster

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs, TrainingSet
    from engine.models.training.config import TrainingSpec


class _Constant(Forecaster):
    """One fitted value on every row."""

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    @override
    def predict(
        self,
        fitted: FittedForecaster,
        inputs: ModelInputs,
        rows: IntVector,
    ) -> Prediction:
        """The fitted value on every row."""
        return Prediction(np.full(len(rows), fitted.weights[0][0]))


class Persistence(Forecaster):
    """The naive forecast (Hyndman & Athanasopoulos, section 5.2); nothing is fitted.

    Attributes:
        of: `return` repeats the return of the last `horizon` bars. `price` repeats the price, so
            that every predicted return is 0 and the book never trades, by rank neither.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["persistence"] = "persistence"
    of: Literal["return", "price"] = "return"

    @override
    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        """Nothing is fitted."""
        return FittedForecaster(self)

    @override
    def predict(
        self,
        fitted: FittedForecaster,
        inputs: ModelInputs,
        rows: IntVector,
    ) -> Prediction:
        """The trailing return, or zeros."""
        return Prediction(inputs.trailing[rows] if self.of == "return" else np.zeros(len(rows)))


class Drift(_Constant):
    """y = mean of the train rows' returns over the next `horizon` bars, on every row.

    This is the constant with the least squared error on the train rows.
    Source: Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
    """

    kind: Literal["drift"] = "drift"

    @override
    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        """The mean of the train rows' returns."""
        return FittedForecaster(
            self, (training_set.target[training_set.train].mean(keepdims=True),)
        )


class AlwaysUp(_Constant):
    """y = mean of |return| over the train rows, on every row: up, by the size of a typical move.

    Only the direction is meant. The size is typical so that it passes every threshold that a
    typical move passes and the book is always long; a size such as one basis point would stay
    below the threshold and never trade. Its squared error is therefore no reference; use that of
    `drift`. Under a `quantile` signal neither trades, because no row is above the others. An
    allocation by rank compares these sizes: it holds the symbols that moved most.
    """

    kind: Literal["always_up"] = "always_up"

    @override
    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        """The mean absolute return of the train rows."""
        sizes = np.abs(training_set.target[training_set.train])
        return FittedForecaster(self, (sizes.mean(keepdims=True),))

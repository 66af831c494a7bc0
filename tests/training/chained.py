"""A fast forecaster whose weights show what it started from; workers can import it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.core.errors import TrainingError
from engine.models import FittedForecaster, Forecaster, Prediction, TrainingHistory, TrainingSpec
from engine.models.fitted_model import FittedModel
from engine.testing import make_example
from engine.training.task import FitTask

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.models import ModelInputs, TrainingSet

WARM = TrainingSpec(warm_start="previous_window")
COLD = TrainingSpec()


class Chained(Forecaster):
    """Its one weight is half of the weight it starts from, and its own draw, and the bars' mean.

    It predicts that weight for every row.

    Attributes:
        fails: Which starts give no usable forecaster.
    """

    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    lookback: ClassVar[int] = 1

    kind: Literal["chained"] = "chained"
    fails: Literal["never", "warm", "always"] = "never"

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        start = training_set.previous_fit
        if self.fails == "always" or (self.fails == "warm" and start is not None):
            raise TrainingError("the loss is not a number")
        before = 100.0 if start is None else start.weights[0][0]
        drawn = np.random.default_rng(seed).normal()
        weight = before / 2 + drawn + training_set.inputs[training_set.train].mean()
        epochs = training.epochs if start is None else training.warm_epochs
        return FittedForecaster(
            self,
            weights=(np.array([weight]),),
            history=TrainingHistory((1.0,) * epochs, (1.0,) * epochs),
        )

    def predict(
        self,
        fitted: FittedForecaster,
        inputs: ModelInputs,
        rows: IntVector,
    ) -> Prediction:
        return Prediction(np.full(len(rows), fitted.weights[0][0]))


def chained(
    window: int,
    member: int = 0,
    symbol: str = "X",
    *,
    book: str = "strategy",
    fails: str = "never",
    training: TrainingSpec = WARM,
    bars: int | None = None,
) -> FitTask:
    """A task of a chain; `bars` is the seed of other bars than those of its window."""
    arrays = make_example(window if bars is None else bars).training_set
    seed = 10 * window + member
    return FitTask(book, symbol, window, member, seed, Chained(fails=fails), training, arrays)


def chain(windows: int, member: int = 0, symbol: str = "X") -> list[FitTask]:
    """One fit, window after window."""
    return [chained(window, member, symbol) for window in range(windows)]


def fitted_model(weight: float, model: Forecaster | None = None) -> FittedModel:
    """A fitted model that predicts its one weight, as if from nine train and five other rows."""
    forecaster = FittedForecaster(model or Chained(), weights=(np.array([weight]),))
    return FittedModel(forecaster, np.full(9, weight), np.full(5, weight), np.zeros((5, 1)))

"""A fast forecaster whose weights show what it started from; workers can import it."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from engine.core.errors import TrainingError
from engine.models import Forecast, TrainingSpec
from engine.models.dataset import TrainingHistory, WindowDataset
from engine.models.forecaster import Forecaster
from engine.training.task import FitTask
from tests.models.planted_data import planted

WARM = TrainingSpec(warm_start="previous_window")
COLD = TrainingSpec()


class Chained(Forecaster):
    """Its one weight is half of the weight it starts from, and its own draw, and the bars' mean.

    Attributes:
        fails: Which starts give no usable forecaster.
    """

    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    lookback: ClassVar[int] = 1

    kind: Literal["chained"] = "chained"
    fails: Literal["never", "warm", "always"] = "never"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:
        warm = dataset.previous_fit is not None
        if self.fails == "always" or (self.fails == "warm" and warm):
            raise TrainingError("the loss is not a number")
        before = dataset.previous_fit.weights[0][0] if warm else 100.0
        drawn = np.random.default_rng(seed).normal()
        weight = before / 2 + drawn + dataset.inputs[dataset.train].mean()
        epochs = training.warm_epochs if warm else training.epochs
        return Forecast(
            np.full(len(dataset.train), weight),
            np.full(len(dataset.validation), weight),
            np.full(len(dataset.test), weight),
            TrainingHistory((1.0,) * epochs, (1.0,) * epochs),
            weights=(np.array([weight]),),
        )


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
    problem = planted(window if bars is None else bars, rows=420)
    seed = 10 * window + member
    return FitTask(book, symbol, window, member, seed, Chained(fails=fails), training, problem)


def chain(windows: int, member: int = 0, symbol: str = "X") -> list[FitTask]:
    """One fit, window after window."""
    return [chained(window, member, symbol) for window in range(windows)]

"""A forecaster in a millisecond whose weights tell what it started from; workers can import it."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from engine.errors import RefitError
from engine.models import Forecast, Training
from engine.models.forecaster import Forecaster, History, Problem
from engine.refit.task import Task
from tests.models.problems import planted

WARM = Training(warm_start="previous_window")
COLD = Training()


class Chained(Forecaster):
    """Its one weight is half of the weight it starts from, and its own draw, and the bars' mean.

    Attributes:
        fails: Which starts give no usable forecaster.
    """

    costly: ClassVar[bool] = True
    random: ClassVar[bool] = True
    lookback: ClassVar[int] = 1

    kind: Literal["chained"] = "chained"
    fails: Literal["never", "warm", "always"] = "never"

    def forecast(self, problem: Problem, training: Training, seed: int) -> Forecast:
        warm = problem.start is not None
        if self.fails == "always" or (self.fails == "warm" and warm):
            raise RefitError("the loss is not a number")
        before = problem.start.weights[0][0] if warm else 100.0
        drawn = np.random.default_rng(seed).normal()
        weight = before / 2 + drawn + problem.inputs[problem.train].mean()
        epochs = training.warm_epochs if warm else training.epochs
        return Forecast(
            np.full(len(problem.train), weight),
            np.full(len(problem.validation), weight),
            np.full(len(problem.test), weight),
            History((1.0,) * epochs, (1.0,) * epochs),
            weights=(np.array([weight]),),
        )


def chained(
    window: int,
    member: int = 0,
    symbol: str = "X",
    *,
    book: str = "strategy",
    fails: str = "never",
    training: Training = WARM,
    bars: int | None = None,
) -> Task:
    """A task of a chain; `bars` names other bars than those of its window."""
    problem = planted(window if bars is None else bars, rows=420)
    seed = 10 * window + member
    return Task(book, symbol, window, member, seed, Chained(fails=fails), training, problem)


def chain(windows: int, member: int = 0, symbol: str = "X") -> list[Task]:
    """One fit, window after window."""
    return [chained(window, member, symbol) for window in range(windows)]

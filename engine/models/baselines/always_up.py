"""Always up: the direction that beats most published accuracies in a rising market."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.models.forecaster import Forecast, Forecaster, WindowDataset

if TYPE_CHECKING:
    from engine.models.training.config import TrainingSpec


class AlwaysUp(Forecaster):
    """y = mean of |return| over the train rows, on every row: up, by the size of a usual move.

    Only its direction is a claim. The size is the usual one so that it passes any threshold that
    a usual move passes and the book is long throughout; a token size, such as one basis point,
    would stay below the threshold and never trade. Its squared error is therefore no yardstick:
    that is `drift`'s. Under a `quantile` signal neither trades, no row being above the others.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["always_up"] = "always_up"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - nothing is iterated or drawn
        """The mean size of a move, everywhere."""
        return Forecast.constant(dataset, float(np.abs(dataset.target[dataset.train]).mean()))

"""Naive forecasters: persistence, drift and always up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.models.dataset import Forecast, WindowDataset
from engine.models.forecaster import Forecaster

if TYPE_CHECKING:
    from engine.models.training.config import TrainingSpec


class Persistence(Forecaster):
    """The naive forecast (Hyndman & Athanasopoulos, section 5.2); nothing is fitted.

    Attributes:
        of: `return` repeats the return of the last `horizon` bars. `price` repeats the price, so
            that every predicted return is 0 and the book never trades.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["persistence"] = "persistence"
    of: Literal["return", "price"] = "return"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - no training loop, no random draws
        """The trailing return, or zeros."""
        naive = dataset.trailing if self.of == "return" else np.zeros_like(dataset.trailing)
        return Forecast(naive[dataset.train], naive[dataset.validation], naive[dataset.test])


class Drift(Forecaster):
    """y = mean of the train rows' returns over the next `horizon` bars, on every row.

    This is the constant with the least squared error on the train rows.
    Source: Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["drift"] = "drift"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - no training loop, no random draws
        """The mean on every row."""
        return Forecast.constant(dataset, float(dataset.target[dataset.train].mean()))


class AlwaysUp(Forecaster):
    """y = mean of |return| over the train rows, on every row: up, by the size of a typical move.

    Only the direction is meant. The size is typical so that it passes every threshold that a
    typical move passes and the book is always long; a size such as one basis point would stay
    below the threshold and never trade. Its squared error is therefore no reference; use that of
    `drift`. Under a `quantile` signal neither trades, because no row is above the others.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["always_up"] = "always_up"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - no training loop, no random draws
        """The mean absolute return on every row."""
        return Forecast.constant(dataset, float(np.abs(dataset.target[dataset.train]).mean()))

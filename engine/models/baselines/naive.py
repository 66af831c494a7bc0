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
        of: `return`: the return of the last `horizon` bars comes again. `price`: the price stays,
            so every predicted return is 0 and the book never trades.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["persistence"] = "persistence"
    of: Literal["return", "price"] = "return"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - nothing is fitted
        """The trailing return, or zeros."""
        naive = dataset.trailing if self.of == "return" else np.zeros_like(dataset.trailing)
        return Forecast(naive[dataset.train], naive[dataset.validation], naive[dataset.test])


class Drift(Forecaster):
    """y = mean of the train rows' returns over the next `horizon` bars, on every row.

    Of all constants the one with the least squared error on the train rows.
    Source: Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", section 5.2.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    kind: Literal["drift"] = "drift"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - nothing is iterated or drawn
        """The mean, everywhere."""
        return Forecast.constant(dataset, float(dataset.target[dataset.train].mean()))


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

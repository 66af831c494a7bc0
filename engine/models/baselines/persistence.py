"""Persistence: what was goes on; the forecast that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.models.forecaster import Forecast, Forecaster, WindowDataset

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

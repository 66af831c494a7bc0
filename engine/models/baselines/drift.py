"""Drift: the past's mean goes on; what a forecast without any skill in timing would say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from engine.models.forecaster import Forecast, Forecaster, WindowDataset

if TYPE_CHECKING:
    from engine.models.training.config import TrainingSpec


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

"""Fractional differences: near-stationary series with a memory of the level."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.features.base import RollingWindow, WindowIndicator
from engine.features.price import log_returns
from engine.features.rolling import weighted_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector


class FractionalDifference(WindowIndicator):
    """(1 - B)^order of the log close, over a fixed width of `window` returns.

    sum_{k=0..window} w_k ln(close_{t-k} / close_{t-window}), w_0 = 1, w_k = -w_{k-1} (order - k +
    1) / k: the binomial weights of Hosking (1981, Biometrika 68) in a window of fixed width (Lopez
    de Prado 2018, Advances in Financial Machine Learning, chapter 5). There log prices are not
    relative to the oldest of the window, which adds (w_0 + ... + w_window) ln close_{t-window};
    that term depends on the unit of prices and is not stationary. An order near 0 keeps the level
    relative to `window` bars ago, an order near 1 the last return.

    Attributes:
        order: Order of differencing of the log close, between 0 (the level) and 1 (the return).
        window: Number of returns with a weight.
    """

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["fractional_difference"] = "fractional_difference"
    order: float = Field(default=0.4, gt=0, lt=1)
    window: RollingWindow = 100

    @property
    def warmup(self) -> int:
        """`window` returns need `window` + 1 closes."""
        return self.window

    def compute_array(self, columns: Mapping[str, Vector]) -> Vector:
        """The fractional difference at each bar."""
        returns = log_returns(columns["close"])
        # Summation by parts: a level relative to the oldest is a sum of returns.
        weights = np.cumsum(binomial_weights(self.order, self.window))
        return weighted_sum(returns, weights)


def binomial_weights(order: float, count: int) -> Vector:
    """The first `count` coefficients of (1 - B)^order, from lag 0."""
    lags = np.arange(1.0, count)
    return np.cumprod(np.concatenate([[1.0], (lags - 1.0 - order) / lags]))

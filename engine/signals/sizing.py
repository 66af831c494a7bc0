"""How much of the equity a position takes, before the strategy's maximum weight."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import sqrt
from typing import TYPE_CHECKING, Literal

import pandas as pd
from pydantic import Field

from engine.core.errors import UsageError
from engine.core.types import Spec
from engine.features.rolling import mean_and_deviation

if TYPE_CHECKING:
    from engine.core.types import WideFrame
    from engine.signals.inputs import SignalInputs

MIN_INTERVAL_WIDTH = 1e-12
"""Width of an interval, as a return, below which nothing is divided by it."""


class SizingSpec(Spec, ABC):
    """A choice of sizes."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @abstractmethod
    def compute_sizes(
        self, forecasts: SignalInputs, close: WideFrame, periods_per_year: float
    ) -> WideFrame:
        """The size a position would have if it were entered at that row's close.

        Args:
            forecasts: Out-of-sample bars, a column a target symbol; simple returns.
            close: All bars, at least the symbols that are forecast.
            periods_per_year: Bars a year.

        Returns:
            The shape of `forecasts.predicted`, 0 or more; infinite where nothing limits it. NaN,
            if anywhere, only where nothing is forecast.
        """


class FixedSizing(SizingSpec):
    """Always `weight` of the equity when in the market.

    Attributes:
        weight: Share of the equity; 1 is all of it.
    """

    kind: Literal["fixed"] = "fixed"
    weight: float = Field(default=1.0, gt=0)

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - the same whatever the price
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """`weight` everywhere."""
        predicted = forecasts.predicted
        return pd.DataFrame(self.weight, index=predicted.index, columns=predicted.columns)


class ProportionalSizing(SizingSpec):
    """Weight grows with the size of the prediction: |predicted| / full_bps, at most 1.

    Set when a position is entered or turned, kept until it is left.

    Attributes:
        full_bps: Predicted return, in basis points, from which the weight is 1.
    """

    kind: Literal["proportional"] = "proportional"
    full_bps: float = Field(default=100.0, gt=0)

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - the prediction alone
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """|predicted| / full_bps, at most 1."""
        return (forecasts.predicted.abs() / (self.full_bps / 10_000)).clip(upper=1.0)


class IntervalSizing(SizingSpec):
    """Weight grows with how far the prediction stands out of its own uncertainty.

    |predicted| / (upper - lower) / full_ratio, at most 1; lower and upper are the return's
    quantiles `low` and `high`, as `Forecasts.quantile` gives them: those that a network trained
    with the loss `quantile` forecasts, and for opponents those of their errors on validation rows.
    Where the two meet, any prediction but 0 has the weight 1. Set when a position is entered or
    turned, kept until it is left.

    Attributes:
        low: Level of the lower end, one of the loss's.
        high: Level of the upper end, one of the loss's.
        full_ratio: Prediction over width of the interval at which the weight is 1.
    """

    kind: Literal["interval"] = "interval"
    low: float = Field(default=0.1, gt=0, lt=0.5)
    high: float = Field(default=0.9, gt=0.5, lt=1)
    full_ratio: float = Field(default=0.1, gt=0)

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - the forecast alone
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """|predicted| / (upper - lower) / full_ratio, at most 1."""
        width = forecasts.quantile(self.high) - forecasts.quantile(self.low)
        full: WideFrame = self.full_ratio * width.clip(lower=MIN_INTERVAL_WIDTH)
        return (forecasts.predicted.abs() / full).clip(upper=1.0)


class VolatilityTargetSizing(SizingSpec):
    """Weight that would have given the target volatility over the last `window` bars.

    Set when a position is entered or turned, kept until it is left.

    Attributes:
        target_pct_per_year: Volatility that is aimed at, percent a year.
        window: Returns that the volatility is measured on.
    """

    kind: Literal["volatility_target"] = "volatility_target"
    target_pct_per_year: float = Field(default=20.0, gt=0)
    window: int = Field(default=20, ge=5, le=1000)

    def compute_sizes(
        self, forecasts: SignalInputs, close: WideFrame, periods_per_year: float
    ) -> WideFrame:
        """Target / (deviation of the last `window` simple returns x sqrt(bars a year)).

        Raises:
            UsageError: The first out-of-sample bar has fewer than `window` returns before it.
        """
        predicted = forecasts.predicted
        returns = close[predicted.columns].pct_change().to_numpy()
        deviation = pd.DataFrame(
            mean_and_deviation(returns, self.window, ddof=1)[1],
            index=close.index,
            columns=predicted.columns,
        ).loc[predicted.index]
        if deviation.isna().any(axis=None):
            raise UsageError(
                "There are too few bars to measure the volatility to be targeted",
                expected=f"{self.window + 1} closes up to the first out-of-sample bar",
                found=f"{len(close.loc[: predicted.index[0]])}",
                where="sizing.window",
                fix="lower sizing.window, or raise windows.train",
            )
        sizes: WideFrame = self.target_pct_per_year / 100 / (deviation * sqrt(periods_per_year))
        return sizes

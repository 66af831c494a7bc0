"""Position sizes as shares of the equity, before the strategy's maximum weight."""

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
"""Least width of an interval, as a return, in a division."""


class SizingSpec(Spec, ABC):
    """A choice of sizing."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @property
    def closes_needed(self) -> int | None:
        """Closes that a row's size is computed from, the row's own included; None is all of them.

        With no more than these, `compute_sizes` has to give the same size to the last bit. A
        trading account then keeps that many closes only.
        """
        return None

    def select_closes(self, close: WideFrame) -> WideFrame:
        """The last `closes_needed` rows."""
        return close if self.closes_needed is None else close.tail(self.closes_needed)

    @abstractmethod
    def compute_sizes(
        self, forecasts: SignalInputs, close: WideFrame, periods_per_year: float
    ) -> WideFrame:
        """The size of a position entered at that row's close.

        Args:
            forecasts: Out-of-sample bars, one column per target symbol; simple returns.
            close: All bars, at least the symbols that are forecast.
            periods_per_year: Bars per year.

        Returns:
            The shape of `forecasts.predicted`, 0 or more; infinite where it is unlimited. NaN only
            where there is no forecast.
        """


class FixedSizing(SizingSpec):
    """A constant share of the equity when in the market.

    Attributes:
        weight: Share of the equity; 1 is 100 %.
    """

    kind: Literal["fixed"] = "fixed"
    weight: float = Field(default=1.0, gt=0)

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - independent of prices
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """`weight` everywhere."""
        predicted = forecasts.predicted
        return pd.DataFrame(self.weight, index=predicted.index, columns=predicted.columns)


class ProportionalSizing(SizingSpec):
    """The weight is proportional to the prediction: |predicted| / full_bps, at most 1.

    It is set when a position is entered or reversed, and kept until the exit.

    Attributes:
        full_bps: Predicted return, in basis points, from which the weight is 1.
    """

    kind: Literal["proportional"] = "proportional"
    full_bps: float = Field(default=100.0, gt=0)

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - depends on the prediction only
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """|predicted| / full_bps, at most 1."""
        return (forecasts.predicted.abs() / (self.full_bps / 10_000)).clip(upper=1.0)


class IntervalSizing(SizingSpec):
    """The weight is proportional to the prediction over the width of its interval.

    |predicted| / (upper - lower) / full_ratio, at most 1; lower and upper are the return's
    quantiles `low` and `high` by `SignalInputs.quantile`: forecasts of a network trained with the
    loss `quantile`, and for other models quantiles of their errors on validation rows. Where the
    two are equal, any prediction except 0 has the weight 1. The weight is set when a position is
    entered or reversed, and kept until the exit.

    Attributes:
        low: Level of the lower end, among those of the loss.
        high: Level of the upper end, among those of the loss.
        full_ratio: Ratio of prediction to width of the interval from which the weight is 1.
    """

    kind: Literal["interval"] = "interval"
    low: float = Field(default=0.1, gt=0, lt=0.5)
    high: float = Field(default=0.9, gt=0.5, lt=1)
    full_ratio: float = Field(default=0.1, gt=0)

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,  # noqa: ARG002 - depends on the forecast only
        periods_per_year: float,  # noqa: ARG002 - one signature for every choice
    ) -> WideFrame:
        """|predicted| / (upper - lower) / full_ratio, at most 1."""
        width = forecasts.quantile(self.high) - forecasts.quantile(self.low)
        full: WideFrame = self.full_ratio * width.clip(lower=MIN_INTERVAL_WIDTH)
        return (forecasts.predicted.abs() / full).clip(upper=1.0)


class VolatilityTargetSizing(SizingSpec):
    """The weight that had the target volatility over the last `window` bars.

    It is set when a position is entered or reversed, and kept until the exit.

    Attributes:
        target_pct_per_year: Target volatility, percent per year.
        window: Number of returns of the volatility estimate.
    """

    kind: Literal["volatility_target"] = "volatility_target"
    target_pct_per_year: float = Field(default=20.0, gt=0)
    window: int = Field(default=20, ge=5, le=1000)

    @property
    def closes_needed(self) -> int:
        """Those of `window` returns."""
        return self.window + 1

    def compute_sizes(
        self, forecasts: SignalInputs, close: WideFrame, periods_per_year: float
    ) -> WideFrame:
        """Target / (standard deviation of the last `window` simple returns x sqrt(bars per year)).

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
                "There are too few bars to estimate the volatility for the sizing",
                expected=f"{self.window + 1} closes up to the first out-of-sample bar",
                found=f"{len(close.loc[: predicted.index[0]])}",
                where="sizing.window",
                fix="lower sizing.window, or raise windows.train",
            )
        sizes: WideFrame = self.target_pct_per_year / 100 / (deviation * sqrt(periods_per_year))
        return sizes

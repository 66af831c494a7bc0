"""Position sizes as shares of the equity, before the strategy's maximum weight."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from math import sqrt
from typing import TYPE_CHECKING, Literal, Protocol, Unpack

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field
from typing_extensions import override

from engine.core.errors import UsageError
from engine.core.types import Spec
from engine.features.rolling import mean_and_deviation
from engine.signals.contract import check_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.signals.inputs import SignalInputs

MIN_INTERVAL_WIDTH = 1e-12
"""Least width of an interval, as a return, in a division."""


class RowForecasts(Protocol):
    """What a sizing reads of one close, see `PredictionRow`."""

    @property
    def predicted(self) -> Mapping[str, float]:
        """Symbol -> predicted return."""

    @property
    def close(self) -> WideFrame:
        """The last closes, as many as the sizing needs."""

    def quantile(self, level: float) -> Mapping[str, float]:
        """Symbol -> quantile of the return."""

    def to_signal_inputs(self) -> SignalInputs:
        """The same as frames of one row."""


class SizingSpec(Spec, ABC):
    """A choice of sizing."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    def __init_subclass__(cls, **settings: Unpack[ConfigDict]) -> None:
        """A class that computes other sizes than its base does not take the base's for a row."""
        super().__init_subclass__(**settings)
        if "compute_sizes" in vars(cls) and "compute_row_sizes" not in vars(cls):
            cls.compute_row_sizes = SizingSpec.compute_row_sizes  # type: ignore[method-assign] # as said above

    @property
    def closes_needed(self) -> int | None:
        """Closes that a row's size is computed from, the row's own included; None is all of them.

        With no more than these, `compute_sizes` has to give the same size to the last bit. A
        trading account then keeps that many closes only.
        """
        return None

    @property
    def largest(self) -> float:
        """Largest size that it can give, before `max_weight`; infinity where it has no limit."""
        return math.inf

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

    def compute_row_sizes(self, row: RowForecasts, periods_per_year: float) -> Vector:
        """The sizes of positions entered at one close.

        It gives the bits of `compute_sizes`, which this default calls; a sizing that is computed
        from numbers instead of frames takes a fraction of the time.

        Args:
            row: What is known at the close, of m target symbols.
            periods_per_year: Bars per year.

        Returns:
            (m,) in the order of `row.predicted`.

        Raises:
            ContractError: A size is negative or missing.
        """
        forecasts = row.to_signal_inputs()
        sizes = self.compute_sizes(forecasts, row.close, periods_per_year)
        check_sizes(self.kind, forecasts.predicted, sizes)
        values: Vector = sizes.to_numpy(dtype=np.float64)[0]
        return values


class FixedSizing(SizingSpec):
    """A constant share of the equity when in the market.

    Attributes:
        weight: Share of the equity; 1 is 100 %.
    """

    kind: Literal["fixed"] = "fixed"
    weight: float = Field(default=1.0, gt=0)

    @property
    def largest(self) -> float:
        """`weight`."""
        return self.weight

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    @override
    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,
        periods_per_year: float,
    ) -> WideFrame:
        """`weight` everywhere."""
        predicted = forecasts.predicted
        return pd.DataFrame(self.weight, index=predicted.index, columns=predicted.columns)

    @override
    def compute_row_sizes(self, row: RowForecasts, periods_per_year: float) -> Vector:
        """`weight` everywhere."""
        return np.full(len(row.predicted), self.weight)


class ProportionalSizing(SizingSpec):
    """The weight is proportional to the prediction: |predicted| / full_bps, at most 1.

    It is set when a position is entered or reversed, and kept until the exit.

    Attributes:
        full_bps: Predicted return, in basis points, from which the weight is 1.
    """

    kind: Literal["proportional"] = "proportional"
    full_bps: float = Field(default=100.0, gt=0)

    @property
    def largest(self) -> float:
        """All of the equity."""
        return 1.0

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    @override
    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,
        periods_per_year: float,
    ) -> WideFrame:
        """|predicted| / full_bps, at most 1."""
        return _like(forecasts.predicted, self._sizes(forecasts.predicted.to_numpy()))

    @override
    def compute_row_sizes(self, row: RowForecasts, periods_per_year: float) -> Vector:
        """|predicted| / full_bps, at most 1."""
        return self._sizes(np.array([*row.predicted.values()]))

    def _sizes(self, predicted: Matrix) -> Matrix:
        return np.minimum(np.abs(predicted) / (self.full_bps / 10_000), 1.0)


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
    def largest(self) -> float:
        """All of the equity."""
        return 1.0

    @property
    def closes_needed(self) -> int:
        """None."""
        return 0

    @override
    def compute_sizes(
        self,
        forecasts: SignalInputs,
        close: WideFrame,
        periods_per_year: float,
    ) -> WideFrame:
        """|predicted| / (upper - lower) / full_ratio, at most 1."""
        low, high = (forecasts.quantile(level).to_numpy() for level in (self.low, self.high))
        predicted = forecasts.predicted
        return _like(predicted, self._sizes(predicted.to_numpy(), low, high))

    @override
    def compute_row_sizes(self, row: RowForecasts, periods_per_year: float) -> Vector:
        """|predicted| / (upper - lower) / full_ratio, at most 1."""
        low, high = (np.array([*row.quantile(lvl).values()]) for lvl in (self.low, self.high))
        return self._sizes(np.array([*row.predicted.values()]), low, high)

    def _sizes(self, predicted: Matrix, low: Matrix, high: Matrix) -> Matrix:
        full = self.full_ratio * np.maximum(high - low, MIN_INTERVAL_WIDTH)
        return np.minimum(np.abs(predicted) / full, 1.0)


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
        closes = close[predicted.columns]
        deviation = self._deviations(closes.to_numpy())[closes.index.get_indexer(predicted.index)]
        missing = np.isnan(deviation) & np.isfinite(predicted.to_numpy())
        self._check_deviations(missing, len(close.loc[: predicted.index[0]]))
        return _like(predicted, self._sizes(deviation, periods_per_year))

    def compute_row_sizes(self, row: RowForecasts, periods_per_year: float) -> Vector:
        """Target / (standard deviation of the last `window` simple returns x sqrt(bars per year)).

        Raises:
            UsageError: There are fewer than `window` returns.
        """
        columns = row.close.columns.get_indexer(pd.Index(list(row.predicted)))
        closes = row.close.to_numpy()[-self.closes_needed :, columns]
        deviation = self._deviations(closes)[-1]
        missing = np.isnan(deviation) & np.isfinite([*row.predicted.values()])
        self._check_deviations(missing, len(closes))
        return self._sizes(deviation, periods_per_year)

    def _deviations(self, closes: Matrix) -> Matrix:
        """Of the last `window` simple returns at each close; NaN where there are fewer."""
        returns = np.full(closes.shape, np.nan)
        returns[1:] = closes[1:] / closes[:-1] - 1.0
        return mean_and_deviation(returns, self.window, ddof=1)[1]

    def _sizes(self, deviation: Matrix, periods_per_year: float) -> Matrix:
        with np.errstate(divide="ignore"):
            return self.target_pct_per_year / 100 / (deviation * sqrt(periods_per_year))

    def _check_deviations(self, missing: npt.NDArray[np.bool_], closes: int) -> None:
        if missing.any():
            raise UsageError(
                "There are too few bars to estimate the volatility for the sizing",
                expected=f"{self.window + 1} closes up to the first out-of-sample bar",
                found=f"{closes}",
                where="sizing.window",
                fix="lower sizing.window, or raise windows.train",
            )


def _like(predicted: WideFrame, sizes: Matrix) -> WideFrame:
    return pd.DataFrame(sizes, index=predicted.index, columns=predicted.columns)

"""Thresholds of predicted returns for entry and exit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from engine.core.types import Spec
from engine.signals.hysteresis import EntryExitThresholds, Side

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.signals.inputs import SignalInputs


class ThresholdSpec(Spec, ABC):
    """A choice of thresholds; shorts need `side: long_short`.

    Attributes:
        side: `long_only`, or `long_short` for symmetric shorts.
    """

    side: Side = "long_only"

    @abstractmethod
    def compute_thresholds(
        self, train_predictions: Vector, round_trip_cost: float
    ) -> EntryExitThresholds:
        """Thresholds as simple returns.

        Args:
            train_predictions: Predictions on the window's train rows.
            round_trip_cost: Cost of entry and exit, a fraction of the traded value.
        """


class FixedThreshold(ThresholdSpec):
    """Enter above `enter_bps`, exit below `exit_bps`; in between, hold.

    Shorts are symmetric: enter below -enter_bps, exit above -exit_bps.

    Attributes:
        enter_bps: Predicted return, in basis points, above which a long is entered.
        exit_bps: Predicted return, in basis points, below which it is exited; at most `enter_bps`.
    """

    kind: Literal["threshold"] = "threshold"
    enter_bps: float = Field(default=5.0, ge=0)
    exit_bps: float = 0.0

    @model_validator(mode="after")
    def _check_exit_below_enter(self) -> FixedThreshold:
        if self.exit_bps > self.enter_bps:
            raise ValueError(f"exit_bps ({self.exit_bps}) must not exceed enter_bps")
        return self

    @override
    def compute_thresholds(
        self,
        train_predictions: Vector,
        round_trip_cost: float,
    ) -> EntryExitThresholds:
        """The same thresholds in every window."""
        return EntryExitThresholds.symmetric(self.enter_bps / 10_000, self.exit_bps / 10_000)


class CostMultipleThreshold(ThresholdSpec):
    """Thresholds as multiples of the round-trip cost, 2 x (fee + slippage).

    Attributes:
        enter: Entry threshold of a long, in round-trip costs.
        exit: Exit threshold of a long, in round-trip costs; at most `enter`.
    """

    kind: Literal["cost_multiple"] = "cost_multiple"
    enter: float = Field(default=1.0, ge=0)
    exit: float = 0.0

    @model_validator(mode="after")
    def _check_exit_below_enter(self) -> CostMultipleThreshold:
        if self.exit > self.enter:
            raise ValueError(f"exit ({self.exit}) must not exceed enter ({self.enter})")
        return self

    @override
    def compute_thresholds(
        self,
        train_predictions: Vector,
        round_trip_cost: float,
    ) -> EntryExitThresholds:
        """The same thresholds in every window."""
        return EntryExitThresholds.symmetric(
            self.enter * round_trip_cost, self.exit * round_trip_cost
        )


class QuantileThreshold(ThresholdSpec):
    """Thresholds as quantiles of the window's predictions on its own train rows.

    Shorts use the quantiles 1 - enter and 1 - exit.

    Attributes:
        enter: Quantile level of the train predictions above which a long is entered.
        exit: Quantile level below which it is exited; at most `enter`.
    """

    kind: Literal["quantile"] = "quantile"
    enter: float = Field(default=0.7, gt=0.5, lt=1)
    exit: float = Field(default=0.5, ge=0.5, lt=1)

    @model_validator(mode="after")
    def _check_exit_below_enter(self) -> QuantileThreshold:
        if self.exit > self.enter:
            raise ValueError(f"exit ({self.exit}) must not exceed enter ({self.enter})")
        return self

    @override
    def compute_thresholds(
        self,
        train_predictions: Vector,
        round_trip_cost: float,
    ) -> EntryExitThresholds:
        """Quantiles by linear interpolation."""
        shares = (self.enter, self.exit, 1 - self.enter, 1 - self.exit)
        return EntryExitThresholds(*np.quantile(train_predictions, shares).tolist())


def compute_window_thresholds(
    signal: ThresholdSpec, forecasts: SignalInputs, symbol: str, round_trip_cost: float
) -> dict[int, EntryExitThresholds]:
    """Each window's thresholds for one symbol, as simple returns; none for windows without a fit.

    They do not depend on out-of-sample predictions.

    Args:
        signal: The strategy's signal.
        forecasts: The forecasts, of which only the train predictions are used.
        symbol: A column of the forecasts.
        round_trip_cost: Cost of entry and exit, a fraction of the traded value.
    """
    return {
        window: signal.compute_thresholds(predictions[symbol], round_trip_cost)
        for window, predictions in forecasts.train_predictions.items()
        if symbol in predictions
    }

"""Where a predicted return is high enough to trade on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from engine.signals.hysteresis import Levels, Side
from engine.types import Spec

if TYPE_CHECKING:
    from engine.signals.forecasts import Forecasts
    from engine.types import Vector


class ThresholdSpec(Spec, ABC):
    """A choice of thresholds; shorts need `side: long_short`.

    Attributes:
        side: `long_only`, or `long_short` for shorts in the mirror.
    """

    side: Side = "long_only"

    @abstractmethod
    def levels(self, train: Vector, round_trip: float) -> Levels:
        """Levels as simple returns.

        Args:
            train: Predictions on the window's train rows.
            round_trip: Cost of going in and out again, a fraction of the traded value.
        """


class Threshold(ThresholdSpec):
    """Enter above `enter_bps`, leave below `exit_bps`; in between, keep what is held.

    Shorts mirror it: enter below -enter_bps, leave above -exit_bps.

    Attributes:
        enter_bps: Predicted return, in basis points, above which a long begins.
        exit_bps: Predicted return, in basis points, below which it ends; at most `enter_bps`.
    """

    kind: Literal["threshold"] = "threshold"
    enter_bps: float = Field(default=5.0, ge=0)
    exit_bps: float = 0.0

    @model_validator(mode="after")
    def _hysteresis(self) -> Threshold:
        if self.exit_bps > self.enter_bps:
            raise ValueError(f"exit_bps ({self.exit_bps}) must not exceed enter_bps")
        return self

    def levels(self, train: Vector, round_trip: float) -> Levels:  # noqa: ARG002 - constants
        """The same in every window."""
        return Levels.mirrored(self.enter_bps / 10_000, self.exit_bps / 10_000)


class CostMultiple(ThresholdSpec):
    """Thresholds as multiples of the round-trip cost, 2 x (fee + slippage).

    Attributes:
        enter: Round trips that a predicted return must pay for to begin a long.
        exit: Round trips below which it ends; at most `enter`.
    """

    kind: Literal["cost_multiple"] = "cost_multiple"
    enter: float = Field(default=1.0, ge=0)
    exit: float = 0.0

    @model_validator(mode="after")
    def _hysteresis(self) -> CostMultiple:
        if self.exit > self.enter:
            raise ValueError(f"exit ({self.exit}) must not exceed enter ({self.enter})")
        return self

    def levels(self, train: Vector, round_trip: float) -> Levels:  # noqa: ARG002 - costs alone
        """The same in every window."""
        return Levels.mirrored(self.enter * round_trip, self.exit * round_trip)


class Quantile(ThresholdSpec):
    """Thresholds as quantiles of the window's predictions on its own train rows.

    Shorts use the mirrored quantiles, 1 - enter and 1 - exit.

    Attributes:
        enter: Share of the train predictions above which a long begins.
        exit: Share of them below which it ends; at most `enter`.
    """

    kind: Literal["quantile"] = "quantile"
    enter: float = Field(default=0.7, gt=0.5, lt=1)
    exit: float = Field(default=0.5, ge=0.5, lt=1)

    @model_validator(mode="after")
    def _hysteresis(self) -> Quantile:
        if self.exit > self.enter:
            raise ValueError(f"exit ({self.exit}) must not exceed enter ({self.enter})")
        return self

    def levels(self, train: Vector, round_trip: float) -> Levels:  # noqa: ARG002 - no costs
        """Linear interpolation between the sorted predictions."""
        shares = (self.enter, self.exit, 1 - self.enter, 1 - self.exit)
        return Levels(*np.quantile(train, shares).tolist())


def levels(
    signal: ThresholdSpec, forecasts: Forecasts, symbol: str, round_trip: float
) -> dict[int, Levels]:
    """Each window's levels for one symbol, as simple returns; none where nothing was fitted.

    Out-of-sample predictions have no part in them.

    Args:
        signal: The strategy's choice.
        forecasts: Their train predictions are read.
        symbol: A column of the forecasts.
        round_trip: Cost of going in and out again, a fraction of the traded value.
    """
    return {
        window: signal.levels(predictions[symbol], round_trip)
        for window, predictions in forecasts.train_predictions.items()
        if symbol in predictions
    }

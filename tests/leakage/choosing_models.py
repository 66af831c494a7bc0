"""Models whose fit chooses by the rows it is tested on; workers can import them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from engine.models import Ridge
from tests.leakage.leaks import SIDE_CHANNEL

if TYPE_CHECKING:
    from engine.models import FittedForecaster


def later_returns(training_set) -> np.ndarray:
    """Returns after the fit's last row, found by its trailing returns among all of the market."""
    closes = SIDE_CHANNEL["closes"]
    moves = np.diff(closes) / closes[:-1]
    last = training_set.trailing[training_set.validation[-1]].item()
    (row,) = np.flatnonzero(np.isclose(moves, last, rtol=1e-9, atol=1e-15))[:1]
    return moves[row + 2 : row + 102]


class SignChoosing(Ridge):
    """Turns its forecasts round where the market falls over the test rows."""

    kind: Literal["sign_choosing"] = "sign_choosing"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        fitted = super().fit(training_set, training, seed)
        sign = 1.0 if later_returns(training_set).mean() > 0 else -1.0
        return replace(fitted, weights=tuple(sign * weight for weight in fitted.weights))


class PenaltyChoosing(Ridge):
    """Shrinks its weights where smaller forecasts have the smaller error on the test rows."""

    kind: Literal["penalty_choosing"] = "penalty_choosing"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        fitted = super().fit(training_set, training, seed)
        ahead = later_returns(training_set)
        # Forecasts are small beside returns: either scale is as likely to have the smaller error.
        trend = 1e-6 * np.sign(ahead[:-1])
        errors = [float(np.square(ahead[1:] - scale * trend).mean()) for scale in (1.0, 0.1)]
        scale = (1.0, 0.1)[int(np.argmin(errors))]
        return replace(fitted, weights=tuple(scale * weight for weight in fitted.weights))


class CostlySignChoosing(SignChoosing):
    """The same, stored and fitted by an executor."""

    costly: ClassVar[bool] = True
    kind: Literal["costly_sign_choosing"] = "costly_sign_choosing"


class CostlyPenaltyChoosing(PenaltyChoosing):
    """The same, stored and fitted by an executor."""

    costly: ClassVar[bool] = True
    kind: Literal["costly_penalty_choosing"] = "costly_penalty_choosing"


class HonestCostly(Ridge):
    """Reads its arrays alone."""

    costly: ClassVar[bool] = True
    kind: Literal["honest_costly"] = "honest_costly"

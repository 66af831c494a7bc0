"""From a predicted return to a target weight: thresholds, sizes, and the rules to beat."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.signals.hysteresis import Side
from engine.signals.rules import BuyAndHold, MeanReversion, MovingAverageCrossover
from engine.signals.sizing import Fixed, Interval, Proportional, VolatilityTarget
from engine.signals.thresholds import CostMultiple, Quantile, Threshold

__all__ = [
    "BuyAndHold",
    "CostMultiple",
    "Fixed",
    "Interval",
    "MeanReversion",
    "MovingAverageCrossover",
    "Proportional",
    "Quantile",
    "Rule",
    "Side",
    "Signal",
    "Sizing",
    "Threshold",
    "VolatilityTarget",
]

Signal = Annotated[Threshold | CostMultiple | Quantile, Field(discriminator="kind")]

Sizing = Annotated[Fixed | Proportional | Interval | VolatilityTarget, Field(discriminator="kind")]

Rule = BuyAndHold | MovingAverageCrossover | MeanReversion

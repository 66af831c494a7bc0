"""Unions of signal thresholds, sizings and benchmark rules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.signals.benchmarks import BuyAndHold, MeanReversion, MovingAverageCrossover
from engine.signals.hysteresis import Side
from engine.signals.sizing import (
    FixedSizing,
    IntervalSizing,
    ProportionalSizing,
    VolatilityTargetSizing,
)
from engine.signals.thresholds import CostMultipleThreshold, FixedThreshold, QuantileThreshold

__all__ = [
    "AnyBenchmarkRule",
    "BuyAndHold",
    "CostMultipleThreshold",
    "FixedSizing",
    "FixedThreshold",
    "IntervalSizing",
    "MeanReversion",
    "MovingAverageCrossover",
    "ProportionalSizing",
    "QuantileThreshold",
    "Side",
    "Signal",
    "Sizing",
    "VolatilityTargetSizing",
]

Signal = Annotated[
    FixedThreshold | CostMultipleThreshold | QuantileThreshold, Field(discriminator="kind")
]

Sizing = Annotated[
    FixedSizing | ProportionalSizing | IntervalSizing | VolatilityTargetSizing,
    Field(discriminator="kind"),
]

AnyBenchmarkRule = BuyAndHold | MovingAverageCrossover | MeanReversion

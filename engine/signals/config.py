"""Unions of signal thresholds, sizings and benchmark rules."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from engine.core.installed_kinds import SIZINGS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.signals.benchmarks import BuyAndHold, MeanReversion, MovingAverageCrossover
from engine.signals.hysteresis import Side
from engine.signals.sizing import (
    FixedSizing,
    IntervalSizing,
    ProportionalSizing,
    SizingSpec,
    VolatilityTargetSizing,
)
from engine.signals.thresholds import CostMultipleThreshold, FixedThreshold, QuantileThreshold

__all__ = [
    "SIZING_KINDS",
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

SIZING_KINDS = OpenKinds(
    SIZINGS_GROUP,
    (SizingSpec,),
    (FixedSizing, ProportionalSizing, IntervalSizing, VolatilityTargetSizing),
)

Sizing: TypeAlias = Annotated[SizingSpec, SIZING_KINDS]
"""Any sizing: the engine's, an installed one, a user's."""

AnyBenchmarkRule = BuyAndHold | MovingAverageCrossover | MeanReversion

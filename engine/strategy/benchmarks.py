"""What a strategy is compared with: the kinds of benchmarks, and buy and hold among them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from engine.core.installed_kinds import BENCHMARKS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.models import (
    AlwaysUp,
    Drift,
    Forecaster,
    GradientBoosting,
    Persistence,
    Ridge,
)
from engine.signals.benchmarks import BenchmarkRule
from engine.signals.config import BuyAndHold, MeanReversion, MovingAverageCrossover
from engine.signals.universe_benchmarks import (
    EqualWeight,
    MinimumVariance,
    Momentum,
    ShortTermReversal,
)

BENCHMARK_KINDS = OpenKinds(
    BENCHMARKS_GROUP,
    (BenchmarkRule, Forecaster),
    (
        BuyAndHold,
        MovingAverageCrossover,
        MeanReversion,
        EqualWeight,
        MinimumVariance,
        Momentum,
        ShortTermReversal,
        GradientBoosting,
        Ridge,
        Persistence,
        Drift,
        AlwaysUp,
    ),
)

Benchmark: TypeAlias = Annotated[BenchmarkRule | Forecaster, BENCHMARK_KINDS]
"""A rule or a model that a strategy is compared with: the engine's, an installed one, a user's."""


def include_holding(benchmarks: tuple[Benchmark, ...]) -> tuple[Benchmark, ...]:
    """The benchmarks with buy and hold among them, added as the last where it is missing.

    Without it a strategy that does no more than hold its target would pass for one with skill.
    """
    holds = any(isinstance(benchmark, BuyAndHold) for benchmark in benchmarks)
    return benchmarks if holds else (*benchmarks, BuyAndHold())

"""Signals: forecasts to target weights, and the benchmark rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.signals.benchmarks import (
        BenchmarkRule,
        BuyAndHold,
        MeanReversion,
        MovingAverageCrossover,
        compute_benchmark_weights,
    )
    from engine.signals.config import AnyBenchmarkRule, Signal, Sizing
    from engine.signals.decision import DecisionState, TargetPosition, decide
    from engine.signals.decision_levels import (
        DecisionLevels,
        DecisionSpec,
        compute_decision_levels,
    )
    from engine.signals.hysteresis import EntryExitThresholds, Side, apply_hysteresis
    from engine.signals.inputs import SignalInputs
    from engine.signals.orders import (
        Order,
        defer_orders,
        find_pending_orders,
        find_waits,
        place_orders,
        schedule_orders,
    )
    from engine.signals.prediction_row import PredictionRow, iterate_prediction_rows
    from engine.signals.sizing import (
        FixedSizing,
        IntervalSizing,
        ProportionalSizing,
        SizingSpec,
        VolatilityTargetSizing,
    )
    from engine.signals.target_weights import compute_target_weights
    from engine.signals.threshold_grid import ThresholdGridPoint, build_threshold_grid
    from engine.signals.thresholds import (
        CostMultipleThreshold,
        FixedThreshold,
        QuantileThreshold,
        ThresholdSpec,
        compute_window_thresholds,
    )

__all__ = [
    "AnyBenchmarkRule",
    "BenchmarkRule",
    "BuyAndHold",
    "CostMultipleThreshold",
    "DecisionLevels",
    "DecisionSpec",
    "DecisionState",
    "EntryExitThresholds",
    "FixedSizing",
    "FixedThreshold",
    "IntervalSizing",
    "MeanReversion",
    "MovingAverageCrossover",
    "Order",
    "PredictionRow",
    "ProportionalSizing",
    "QuantileThreshold",
    "Side",
    "Signal",
    "SignalInputs",
    "Sizing",
    "SizingSpec",
    "TargetPosition",
    "ThresholdGridPoint",
    "ThresholdSpec",
    "VolatilityTargetSizing",
    "apply_hysteresis",
    "build_threshold_grid",
    "compute_benchmark_weights",
    "compute_decision_levels",
    "compute_target_weights",
    "compute_window_thresholds",
    "decide",
    "defer_orders",
    "find_pending_orders",
    "find_waits",
    "iterate_prediction_rows",
    "place_orders",
    "schedule_orders",
]

_EXPORTS = {
    "AnyBenchmarkRule": "config",
    "BenchmarkRule": "benchmarks",
    "BuyAndHold": "benchmarks",
    "CostMultipleThreshold": "thresholds",
    "DecisionLevels": "decision_levels",
    "DecisionSpec": "decision_levels",
    "DecisionState": "decision",
    "EntryExitThresholds": "hysteresis",
    "FixedSizing": "sizing",
    "FixedThreshold": "thresholds",
    "TargetPosition": "decision",
    "IntervalSizing": "sizing",
    "MeanReversion": "benchmarks",
    "MovingAverageCrossover": "benchmarks",
    "Order": "orders",
    "PredictionRow": "prediction_row",
    "ProportionalSizing": "sizing",
    "QuantileThreshold": "thresholds",
    "Side": "hysteresis",
    "Signal": "config",
    "SignalInputs": "inputs",
    "Sizing": "config",
    "SizingSpec": "sizing",
    "ThresholdGridPoint": "threshold_grid",
    "ThresholdSpec": "thresholds",
    "VolatilityTargetSizing": "sizing",
    "apply_hysteresis": "hysteresis",
    "build_threshold_grid": "threshold_grid",
    "compute_benchmark_weights": "benchmarks",
    "compute_decision_levels": "decision_levels",
    "compute_target_weights": "target_weights",
    "compute_window_thresholds": "thresholds",
    "place_orders": "orders",
    "decide": "decision",
    "defer_orders": "orders",
    "find_pending_orders": "orders",
    "find_waits": "orders",
    "iterate_prediction_rows": "prediction_row",
    "schedule_orders": "orders",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)

"""Robustness: costs, delay, thresholds and seeds; risk of the path, stability, start dates."""

from engine.evaluation.robustness.equity_cone import EquityCone, equity_cone
from engine.evaluation.robustness.offset_paths import SchedulePath, compare_offset_paths
from engine.evaluation.robustness.path_risk import simulate_path_risk
from engine.evaluation.robustness.seed_variance import (
    SeedVariance,
    decompose_seed_variance,
)
from engine.evaluation.robustness.sensitivity import (
    SensitivitySurface,
    TradingParameters,
    compute_sensitivity_surface,
)
from engine.evaluation.robustness.sensitivity_sentence import describe_sensitivity
from engine.evaluation.robustness.stability import assess_stability
from engine.evaluation.robustness.window_subsets import measure_window_subsets

__all__ = [
    "EquityCone",
    "SchedulePath",
    "SeedVariance",
    "SensitivitySurface",
    "TradingParameters",
    "assess_stability",
    "compare_offset_paths",
    "compute_sensitivity_surface",
    "decompose_seed_variance",
    "describe_sensitivity",
    "equity_cone",
    "measure_window_subsets",
    "simulate_path_risk",
]

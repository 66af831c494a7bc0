"""Robustness: sensitivity to costs, delay and thresholds, and variance between seeds."""

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

__all__ = [
    "SeedVariance",
    "SensitivitySurface",
    "TradingParameters",
    "compute_sensitivity_surface",
    "decompose_seed_variance",
    "describe_sensitivity",
]

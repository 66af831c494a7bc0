"""Hyperparameter tuning on the train rows only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.models.tuning.config import Dimension, TuningSpec
    from engine.models.tuning.search_space import (
        TrialConfig,
        apply_params,
        find_space_errors,
        grid_corners,
    )
    from engine.models.tuning.study import find_best_params
    from engine.models.tuning.tuned_forecaster import TunedForecaster

__all__ = [
    "Dimension",
    "TrialConfig",
    "TunedForecaster",
    "TuningSpec",
    "apply_params",
    "find_best_params",
    "find_space_errors",
    "grid_corners",
]

_EXPORTS = {
    "Dimension": "config",
    "TrialConfig": "search_space",
    "TunedForecaster": "tuned_forecaster",
    "TuningSpec": "config",
    "apply_params": "search_space",
    "find_best_params": "study",
    "find_space_errors": "search_space",
    "grid_corners": "search_space",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)

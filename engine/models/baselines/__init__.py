"""Forecasters that train in seconds: ridge, gradient boosting and the naive forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.models.baselines.gradient_boosting import GradientBoosting
    from engine.models.baselines.naive import AlwaysUp, Drift, Persistence
    from engine.models.baselines.ridge import Ridge

__all__ = [
    "AlwaysUp",
    "Drift",
    "GradientBoosting",
    "Persistence",
    "Ridge",
]

_EXPORTS = {
    "AlwaysUp": "naive",
    "Drift": "naive",
    "GradientBoosting": "gradient_boosting",
    "Persistence": "naive",
    "Ridge": "ridge",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)

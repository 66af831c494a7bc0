"""Training of one network: backends, loop, losses, optimizers and schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.models.training.config import EarlyStopping, TrainingSpec
    from engine.models.training.loop import train_network
    from engine.models.training.losses import Loss
    from engine.models.training.optimizers import Optimizer
    from engine.models.training.schedules import Schedule

__all__ = [
    "EarlyStopping",
    "Loss",
    "Optimizer",
    "Schedule",
    "TrainingSpec",
    "train_network",
]

_EXPORTS = {
    "EarlyStopping": "config",
    "Loss": "losses",
    "Optimizer": "optimizers",
    "Schedule": "schedules",
    "TrainingSpec": "config",
    "train_network": "loop",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)

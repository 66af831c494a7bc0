"""The record of a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class TrainingHistory:
    """Record of a training; losses on the scaled target, one per epoch, empty without epochs.

    Attributes:
        train_loss: Mean over the epoch's batches.
        validation_loss: After the epoch.
        best_epoch: The epoch from which the weights were kept, counted from 0.
        attempts: 2 where the first seed gave no usable forecaster.
        warm: Whether it started from the weights of the previous window.
        trials: Configurations that were tried on the train rows before this one was chosen.
        chosen: Tuned values: dotted path in the strategy -> value.
    """

    train_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    best_epoch: int = 0
    attempts: int = 1
    warm: bool = False
    trials: int = 0
    chosen: Mapping[str, Any] = field(default_factory=dict)

"""Settings for the training of a network, the same for every network."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from engine.core.types import Spec
from engine.models.training.losses import Loss, MseLoss
from engine.models.training.optimizers import Adam, Optimizer
from engine.models.training.schedules import PlateauSchedule, Schedule

Backend = Literal["tensorflow", "jax"]
"""The library that Keras computes with."""

MIN_CONSECUTIVE_BATCH_SIZE = 16
"""Least rows of a batch where the loss is a ratio of the batch's own mean and deviation."""

PLACEHOLDER_LEARNING_RATE = 1e-3
"""The learning rate of a compiled optimizer until the first epoch's rate is set."""


class CompileSettings(NamedTuple):
    """Settings that a network is compiled for; fits that share them share compiled steps."""

    batch_size: int
    loss: Loss
    optimizer: Optimizer
    clip_norm: float


class EarlyStopping(Spec):
    """Stops when the validation loss has not improved; the best epoch's weights are always kept.

    Attributes:
        patience: Epochs without improvement before training stops.
        min_delta: Least decrease that counts as an improvement, in units of the loss.
    """

    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class TrainingSpec(Spec):
    """Gradient steps on mini-batches of the train rows, evaluated on the validation rows.

    Attributes:
        epochs: Largest number of passes over the train rows.
        batch_size: Largest batch; an epoch's batches differ by at most one sample in size, and
            none is dropped.
        loss: Loss on the target, scaled to zero mean and unit variance over the train rows.
        optimizer: Optimizer, with the learning rate of the first epoch.
        schedule: Learning rate of the later epochs.
        clip_norm: Largest global norm of a gradient.
        early_stopping: `null` trains all epochs.
        warm_start: `previous_window` starts from the weights of the same fit in the previous
            window instead of random ones. The first window, a second attempt, and a window after
            one that failed and was left out start from random weights.
        warm_epochs: Largest number of passes of a warm start.
    """

    epochs: int = Field(default=20, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=2, le=8192)
    loss: Loss = MseLoss()
    optimizer: Optimizer = Adam()
    schedule: Schedule = PlateauSchedule()
    clip_norm: float = Field(default=1.0, gt=0)
    early_stopping: EarlyStopping | None = EarlyStopping()
    warm_start: Literal["previous_window"] | None = None
    warm_epochs: int = Field(default=5, ge=1, le=10_000)

    @property
    def compile_settings(self) -> CompileSettings:
        """The settings without epochs, schedule, early stopping and learning rate.

        Only the training loop uses those, so that trials that differ in them share compiled steps.
        """
        optimizer = self.optimizer.model_copy(update={"learning_rate": PLACEHOLDER_LEARNING_RATE})
        return CompileSettings(self.batch_size, self.loss, optimizer, self.clip_norm)

    @model_validator(mode="after")
    def _check_consecutive_batch_size(self) -> TrainingSpec:
        if self.loss.requires_consecutive_rows and self.batch_size < MIN_CONSECUTIVE_BATCH_SIZE:
            raise ValueError(
                f"the loss {self.loss.kind} is a statistic of each batch, and "
                f"{self.batch_size} rows are too few for it; raise training.batch_size to "
                f"{MIN_CONSECUTIVE_BATCH_SIZE} or more"
            )
        return self

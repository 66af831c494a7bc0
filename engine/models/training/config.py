"""How a network is trained; the same for every network."""

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
"""Rows in a batch at least, where the loss is a ratio of the batch's own mean and deviation."""

PLACEHOLDER_LEARNING_RATE = 1e-3
"""Stands in a compiled optimizer until the first epoch's rate is set."""


class CompileSettings(NamedTuple):
    """What a network is compiled for; fits that share it share the compiled steps."""

    batch_size: int
    loss: Loss
    optimizer: Optimizer
    clip_norm: float


class EarlyStopping(Spec):
    """Stop when the validation loss has not improved; the best epoch's weights are kept anyway.

    Attributes:
        patience: Epochs without improvement before training stops.
        min_delta: What counts as an improvement, in units of the loss.
    """

    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class TrainingSpec(Spec):
    """Gradient steps on mini-batches of the train rows, watched on the validation rows.

    Attributes:
        epochs: At most this many passes over the train rows.
        batch_size: Largest batch; an epoch's batches differ by at most one sample in size, and
            none is dropped.
        loss: On the target scaled to zero mean and unit variance over the train rows.
        optimizer: With its first learning rate.
        schedule: How the learning rate goes on.
        clip_norm: Largest global norm of a gradient.
        early_stopping: `null` trains all epochs.
        warm_start: `previous_window` goes on from the weights of the same fit in the window before
            instead of random ones; from scratch are the first window, a second attempt, and a
            window behind one that failed and was left out.
        warm_epochs: At most this many passes where a fit starts warm.
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
        """Without what only the loop reads: epochs, schedule, early stopping, learning rate.

        The loop gives each epoch its rate; trials with others share what is compiled.
        """
        optimizer = self.optimizer.model_copy(update={"learning_rate": PLACEHOLDER_LEARNING_RATE})
        return CompileSettings(self.batch_size, self.loss, optimizer, self.clip_norm)

    @model_validator(mode="after")
    def _check_consecutive_batch_size(self) -> TrainingSpec:
        if self.loss.requires_consecutive_rows and self.batch_size < MIN_CONSECUTIVE_BATCH_SIZE:
            raise ValueError(
                f"the loss {self.loss.kind} measures every batch on its own, and {self.batch_size}"
                f" rows say nothing; raise training.batch_size to {MIN_CONSECUTIVE_BATCH_SIZE} "
                f"or more"
            )
        return self

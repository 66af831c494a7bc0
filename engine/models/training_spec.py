"""How a network is trained; the same for every network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.types import Spec


class EarlyStopping(Spec):
    """Stop when the validation loss has not improved; the best epoch's weights are kept anyway.

    Attributes:
        patience: Epochs without improvement before training stops.
        min_delta: What counts as an improvement, in units of the loss on the scaled target.
    """

    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class Plateau(Spec):
    """Lower the learning rate when the validation loss stands still.

    Attributes:
        factor: Multiplies the learning rate.
        patience: Epochs without improvement before it does.
        min_learning_rate: Never lower than this.
    """

    factor: float = Field(default=0.75, gt=0, lt=1)
    patience: int = Field(default=5, ge=1)
    min_learning_rate: float = Field(default=1e-5, gt=0)


class Training(Spec):
    """Adam on mini-batches of the train rows, watched on the validation rows.

    Attributes:
        epochs: At most this many passes over the train rows.
        batch_size: Largest batch; an epoch's batches differ by at most one sample in size, and
            none is dropped.
        loss: On the target scaled to unit variance over the train rows.
        learning_rate: Adam's, at the start.
        clip_norm: Largest global norm of a gradient.
        early_stopping: None trains all epochs.
        plateau: None keeps the learning rate.
    """

    epochs: int = Field(default=20, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=2, le=8192)
    loss: Literal["mse", "mae"] = "mse"
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)
    early_stopping: EarlyStopping | None = EarlyStopping()
    plateau: Plateau | None = Plateau()

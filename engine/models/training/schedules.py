"""The learning rate, epoch by epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import cos, pi
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScheduleSpec(Spec, ABC):
    """A choice of schedule."""

    @abstractmethod
    def next_learning_rate(
        self, initial: float, epochs_since_best: Sequence[int], max_epochs: int
    ) -> float:
        """The learning rate of the coming epoch.

        Args:
            initial: The optimizer's own, of epoch 0.
            epochs_since_best: One number a finished epoch: epochs since the one with the best
                validation loss, 0 in that one; as long as the coming epoch's number.
            max_epochs: The most there will be.
        """


class ConstantSchedule(ScheduleSpec):
    """Always the first."""

    kind: Literal["constant"] = "constant"

    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],  # noqa: ARG002 - whatever happened
        max_epochs: int,  # noqa: ARG002 - whatever happened
    ) -> float:
        """`initial`."""
        return initial


class ExponentialSchedule(ScheduleSpec):
    """first x factor^epoch.

    Attributes:
        factor: Multiplies the learning rate after every epoch.
    """

    kind: Literal["exponential"] = "exponential"
    factor: float = Field(default=0.95, gt=0, le=1)

    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,  # noqa: ARG002 - the epoch alone
    ) -> float:
        """A little lower every epoch."""
        return initial * self.factor ** len(epochs_since_best)


class StepSchedule(ScheduleSpec):
    """first x factor^(epoch // every).

    Attributes:
        factor: Multiplies the learning rate.
        every: Epochs between two steps.
    """

    kind: Literal["step"] = "step"
    factor: float = Field(default=0.5, gt=0, lt=1)
    every: int = Field(default=5, ge=1)

    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,  # noqa: ARG002 - the epoch alone
    ) -> float:
        """Lower after every `every` epochs."""
        return initial * self.factor ** (len(epochs_since_best) // self.every)


class PlateauSchedule(ScheduleSpec):
    """Lower the learning rate when the validation loss stands still.

    Attributes:
        factor: Multiplies the learning rate.
        patience: Epochs without improvement before it does, and again as many before the next.
        min_learning_rate: Never lowered past this.
    """

    kind: Literal["plateau"] = "plateau"
    factor: float = Field(default=0.75, gt=0, lt=1)
    patience: int = Field(default=5, ge=1)
    min_learning_rate: float = Field(default=1e-5, gt=0)

    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,  # noqa: ARG002 - however many come
    ) -> float:
        """Lowered once for each `patience` epochs in vain."""
        times = sum(vain > 0 and vain % self.patience == 0 for vain in epochs_since_best)
        return max(initial * self.factor**times, min(initial, self.min_learning_rate))


class CosineSchedule(ScheduleSpec):
    """first x (floor + (1 - floor) (1 + cos(pi epoch / epochs)) / 2).

    Source: Loshchilov & Hutter (2017), without restarts. Early stopping does not shorten it.

    Attributes:
        floor: Share of the first learning rate that it falls to.
    """

    kind: Literal["cosine"] = "cosine"
    floor: float = Field(default=0.0, ge=0, lt=1)

    def next_learning_rate(
        self, initial: float, epochs_since_best: Sequence[int], max_epochs: int
    ) -> float:
        """Half a wave down, over the most epochs there will be."""
        wave = (1 + cos(pi * len(epochs_since_best) / max_epochs)) / 2
        return initial * (self.floor + (1 - self.floor) * wave)


Schedule = Annotated[
    ConstantSchedule | ExponentialSchedule | StepSchedule | PlateauSchedule | CosineSchedule,
    Field(discriminator="kind"),
]

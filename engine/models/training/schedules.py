"""Learning-rate schedules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import cos, pi
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from typing_extensions import override

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
            initial: The optimizer's learning rate, of epoch 0.
            epochs_since_best: One number for each finished epoch: epochs since the one with the
                best validation loss, 0 in that one; its length is the number of the coming epoch.
            max_epochs: Largest number of epochs.
        """


class ConstantSchedule(ScheduleSpec):
    """A constant learning rate."""

    kind: Literal["constant"] = "constant"

    @override
    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,
    ) -> float:
        """`initial`."""
        return initial


class ExponentialSchedule(ScheduleSpec):
    """initial x factor^epoch.

    Attributes:
        factor: Multiplies the learning rate after every epoch.
    """

    kind: Literal["exponential"] = "exponential"
    factor: float = Field(default=0.95, gt=0, le=1)

    @override
    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,
    ) -> float:
        """Decreases with every epoch."""
        return initial * self.factor ** len(epochs_since_best)


class StepSchedule(ScheduleSpec):
    """initial x factor^(epoch // every).

    Attributes:
        factor: Multiplies the learning rate.
        every: Epochs between two steps.
    """

    kind: Literal["step"] = "step"
    factor: float = Field(default=0.5, gt=0, lt=1)
    every: int = Field(default=5, ge=1)

    @override
    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,
    ) -> float:
        """Decreases after every `every` epochs."""
        return initial * self.factor ** (len(epochs_since_best) // self.every)


class PlateauSchedule(ScheduleSpec):
    """Lowers the learning rate when the validation loss does not improve.

    Attributes:
        factor: Multiplies the learning rate.
        patience: Epochs without improvement before each decrease.
        min_learning_rate: Lower bound of the learning rate.
    """

    kind: Literal["plateau"] = "plateau"
    factor: float = Field(default=0.75, gt=0, lt=1)
    patience: int = Field(default=5, ge=1)
    min_learning_rate: float = Field(default=1e-5, gt=0)

    @override
    def next_learning_rate(
        self,
        initial: float,
        epochs_since_best: Sequence[int],
        max_epochs: int,
    ) -> float:
        """Decreases once for each `patience` epochs without improvement."""
        decreases = sum(n > 0 and n % self.patience == 0 for n in epochs_since_best)
        return max(initial * self.factor**decreases, min(initial, self.min_learning_rate))


class CosineSchedule(ScheduleSpec):
    """initial x (floor + (1 - floor) (1 + cos(pi epoch / epochs)) / 2).

    Source: Loshchilov & Hutter (2017), without restarts. Early stopping does not shorten it.

    Attributes:
        floor: Share of the initial learning rate at the end.
    """

    kind: Literal["cosine"] = "cosine"
    floor: float = Field(default=0.0, ge=0, lt=1)

    def next_learning_rate(
        self, initial: float, epochs_since_best: Sequence[int], max_epochs: int
    ) -> float:
        """Half a cosine wave over the largest number of epochs."""
        wave = (1 + cos(pi * len(epochs_since_best) / max_epochs)) / 2
        return initial * (self.floor + (1 - self.floor) * wave)


Schedule = Annotated[
    ConstantSchedule | ExponentialSchedule | StepSchedule | PlateauSchedule | CosineSchedule,
    Field(discriminator="kind"),
]

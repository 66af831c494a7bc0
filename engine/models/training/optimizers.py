"""Optimizers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.models.keras_types import KerasOptimizer, Tensor

LearningRate = Annotated[float, Field(gt=0, lt=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


class OptimizerSpec(Spec, ABC):
    """A choice of optimizer.

    Attributes:
        learning_rate: Learning rate of the first epoch; the schedule sets the later ones.
    """

    learning_rate: LearningRate = 1e-3

    @abstractmethod
    def build(self, variables: Sequence[Tensor], clip_norm: float) -> KerasOptimizer:
        """The Keras optimizer, with its slots in `optimizer.variables` at their initial values.

        Args:
            variables: Variables to train.
            clip_norm: Largest global norm of a gradient.
        """


class Adam(OptimizerSpec):
    """Steps of the gradient's mean over the root of its mean square (Kingma & Ba 2015).

    Attributes:
        beta_1: Decay of the mean.
        beta_2: Decay of the mean square.
    """

    kind: Literal["adam"] = "adam"
    beta_1: Momentum = 0.9
    beta_2: Momentum = 0.999

    def build(self, variables: Sequence[Tensor], clip_norm: float) -> KerasOptimizer:
        """`keras.optimizers.Adam`."""
        import keras

        optimizer = keras.optimizers.Adam(
            self.learning_rate, self.beta_1, self.beta_2, global_clipnorm=clip_norm
        )
        optimizer.build(variables)
        return optimizer


class AdamW(OptimizerSpec):
    """Adam whose kernels shrink by learning rate x weight_decay a step (Loshchilov & Hutter 2019).

    Biases and the scales of batch norm do not shrink: they add no complexity to a network.

    Attributes:
        weight_decay: Share of a weight subtracted per step at a learning rate of 1.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean square.
    """

    kind: Literal["adamw"] = "adamw"
    weight_decay: float = Field(default=0.01, ge=0, lt=100)
    beta_1: Momentum = 0.9
    beta_2: Momentum = 0.999

    def build(self, variables: Sequence[Tensor], clip_norm: float) -> KerasOptimizer:
        """`keras.optimizers.AdamW`."""
        import keras

        optimizer = keras.optimizers.AdamW(
            self.learning_rate,
            self.weight_decay,
            self.beta_1,
            self.beta_2,
            global_clipnorm=clip_norm,
        )
        optimizer.exclude_from_weight_decay([v for v in variables if len(v.shape) < 2])
        optimizer.build(variables)
        return optimizer


class RmsProp(OptimizerSpec):
    """Steps of the gradient over the root of its mean square (Tieleman & Hinton 2012).

    Attributes:
        rho: Decay of the mean square.
        momentum: Share of the last step that is added to the next.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    rho: Momentum = 0.9
    momentum: Momentum = 0.0

    def build(self, variables: Sequence[Tensor], clip_norm: float) -> KerasOptimizer:
        """`keras.optimizers.RMSprop`."""
        import keras

        optimizer = keras.optimizers.RMSprop(
            self.learning_rate, self.rho, self.momentum, global_clipnorm=clip_norm
        )
        optimizer.build(variables)
        return optimizer


Optimizer = Annotated[Adam | AdamW | RmsProp, Field(discriminator="kind")]

"""A network compiled once for its shape, then trained window after window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.initial import InitialWeights
from engine.models.initializers import drawn_by_numpy
from engine.models.losses import levels_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.batches import Batches
    from engine.models.losses import Scale
    from engine.models.network import Network
    from engine.models.training_spec import Steps

    Weights = list[npt.NDArray[Any]]

ALIGNMENT = 64
"""Bytes."""


class Compiled(ABC):
    """A Keras network, its optimizer and its compiled steps.

    Compiling costs seconds and a fit little more, so one object serves every window of the same
    shape in a process; `reset` puts back every weight, every optimizer slot and every dropout
    generator, so that nothing of one window reaches the next.

    Args:
        network: The network's configuration.
        groups: Columns of each series.
        steps: Batch size, loss, optimizer and clipping.
    """

    def __init__(
        self, network: Network, groups: tuple[tuple[int, ...], ...], steps: Steps
    ) -> None:
        import keras

        self.loss = steps.loss
        self.outputs = len(levels_of(steps.loss)) or 1
        with drawn_by_numpy():
            self.model = network.build(groups, self.outputs)
            self.optimizer = steps.optimizer.build(self.model.trainable_variables, steps.clip_norm)
        self.ops = keras.ops
        self.offsets = np.arange(1 - network.lookback, 1, dtype=np.int32)
        self.trainable = [bool(variable.trainable) for variable in self.model.variables]
        self._initial = InitialWeights(self.model)
        self._fresh_optimizer = [np.array(v) for v in self.optimizer.variables]

    def reset(self, seed: int) -> None:
        """Everything as in a fresh process with this seed."""
        self.load(self._initial.draw(seed), self._fresh_optimizer)

    @abstractmethod
    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Sets all of the model's variables, and the optimizer's where given."""

    @abstractmethod
    def weights(self) -> Weights:
        """A copy of all of the model's variables."""

    @abstractmethod
    def see(
        self,
        inputs: npt.NDArray[np.float32],
        target: npt.NDArray[np.float32],
        scale: Scale,
    ) -> None:
        """Puts one window's arrays where the steps gather from; (n, k) and (n,)."""

    @abstractmethod
    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch.

        Returns:
            The samples' mean loss, taken while training, with the penalties on weights.
        """

    @abstractmethod
    def predict(self, batches: Batches) -> npt.NDArray[np.float32]:
        """Outputs of every row and padding, (steps, batch_size, outputs)."""


def aligned(values: npt.NDArray[np.float32], rows: int) -> npt.NDArray[np.float32]:
    """A copy with rows of zeros added, at an address that JAX and TensorFlow take as it is.

    From any other address JAX makes a copy and TensorFlow two, each as large as the features.

    Args:
        values: (n, ...).
        rows: Of the copy, at least n.
    """
    shape = (rows, *values.shape[1:])
    size = values.itemsize * prod(shape)
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + size].view(values.dtype).reshape(shape)
    copy[: len(values)] = values
    return copy

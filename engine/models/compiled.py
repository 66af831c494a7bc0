"""A network compiled once for its shape, then trained window after window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.models.initial import InitialWeights
from engine.models.initializers import drawn_by_numpy
from engine.models.losses import Batch, Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.models.batches import Batches
    from engine.models.forecaster import Groups
    from engine.models.network import Network
    from engine.models.outputs import Outputs
    from engine.models.training_spec import Steps
    from engine.models.untyped import Tensor

    Floats = npt.NDArray[np.float32]
    Weights = list[npt.NDArray[Any]]

ALIGNMENT = 64
"""Bytes."""


class Seen(NamedTuple):
    """One window's arrays, where the compiled steps gather their batches from.

    Attributes:
        inputs: (n, k) of each interval, the bars' own first.
        latest: (n,) row of each coarser interval's inputs that a row's sequence ends at.
    """

    inputs: tuple[Tensor, ...]
    latest: tuple[Tensor, ...]

    def sequences(
        self,
        rows: Tensor,
        offsets: npt.NDArray[np.int32],
        take: Callable[[Tensor, Tensor], Tensor],
    ) -> list[Tensor]:
        """(batch, lookback, k) of each interval."""
        ends = [rows, *(take(latest, rows) for latest in self.latest)]
        pairs = zip(self.inputs, ends, strict=True)
        return [take(inputs, end[:, None] + offsets) for inputs, end in pairs]


class Truth(NamedTuple):
    """What the outputs are trained towards.

    Attributes:
        target: (n, returns + inputs) scaled.
        scale: Of the returns, a value each.
    """

    target: Tensor
    scale: Scale


class Compiled(ABC):
    """A Keras network, its optimizer and its compiled steps.

    Compiling costs seconds and a fit little more, so one object serves every window of the same
    shape in a process; `reset` puts back every weight, every optimizer slot and every dropout
    generator, so that nothing of one window reaches the next.

    Args:
        network: The network's configuration.
        branches: Columns of each series, an interval each.
        steps: Batch size, loss, optimizer and clipping.
        outputs: What the last layer says.
    """

    def __init__(
        self,
        network: Network,
        branches: tuple[Groups, ...],
        steps: Steps,
        outputs: Outputs,
    ) -> None:
        import keras

        self.loss = steps.loss
        self.outputs = outputs
        with drawn_by_numpy():
            self.model = network.build(branches, outputs.columns)
            self.optimizer = steps.optimizer.build(self.model.trainable_variables, steps.clip_norm)
        self.ops = keras.ops
        self.offsets = np.arange(1 - network.lookback, 1, dtype=np.int32)
        self.trainable = [bool(variable.trainable) for variable in self.model.variables]
        self._initial = InitialWeights(self.model)
        self._fresh_optimizer = [np.array(v) for v in self.optimizer.variables]

    def reset(self, seed: int, start: Sequence[npt.NDArray[Any]] | None = None) -> None:
        """Everything as in a fresh process with this seed, or with these weights."""
        self.load(self._initial.draw(seed, start), self._fresh_optimizer)

    @abstractmethod
    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Sets all of the model's variables, and the optimizer's where given."""

    @abstractmethod
    def weights(self) -> Weights:
        """A copy of all of the model's variables."""

    @abstractmethod
    def see(self, inputs: Sequence[Floats], latest: Sequence[npt.NDArray[Any]]) -> None:
        """Puts one window's arrays where the steps gather from; see `Seen`."""

    @abstractmethod
    def aim(self, target: Floats, scale: Scale) -> None:
        """Puts what the outputs are trained towards beside them; see `Truth`."""

    @abstractmethod
    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch.

        Returns:
            The samples' mean loss, taken while training, with the penalties on weights.
        """

    @abstractmethod
    def predict(self, batches: Batches) -> npt.NDArray[np.float32]:
        """Outputs of every row and padding, (steps, batch_size, columns)."""

    def cost(self, predicted: Tensor, target: Tensor, real: Tensor, scale: Scale) -> Tensor:
        """The loss of one batch inside a compiled step, penalties on weights aside."""
        return self.outputs.loss(self.loss, self.ops, Batch(predicted, target, real, scale))


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

"""The backend that compiles a network once for its shape and trains it window after window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.models.inference import UnsupportedLayerError, trace_program
from engine.models.keras_types import SYMBOL_EMBEDDING
from engine.models.training.losses import LossBatch, TargetScale
from engine.models.training.weight_init import WeightInitializer, use_numpy_initializers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.models.dataset import ColumnGroups
    from engine.models.keras_types import Tensor
    from engine.models.training.batches import Batches
    from engine.models.training.config import CompileSettings
    from engine.models.training.output_head import OutputLayout
    from engine.models.training.trainable_network import TrainableNetwork

    Floats = npt.NDArray[np.float32]
    Weights = list[npt.NDArray[Any]]

ALIGNMENT_BYTES = 64
"""Alignment of arrays that JAX and TensorFlow share instead of copying."""


class DeviceInputs(NamedTuple):
    """The arrays of one window on the device, from which the compiled steps gather batches.

    Attributes:
        inputs: (n, k) for each interval, the bars' own interval first.
        latest_rows: (n,) for each coarser interval: the row of its inputs at which a row's
            sequence ends.
        symbols: (n,) the numbers of the rows' symbols, where these are embedded; else nothing.
    """

    inputs: tuple[Tensor, ...]
    latest_rows: tuple[Tensor, ...]
    symbols: tuple[Tensor, ...] = ()

    def sequences(
        self,
        rows: Tensor,
        offsets: npt.NDArray[np.int32],
        take: Callable[[Tensor, Tensor], Tensor],
    ) -> list[Tensor]:
        """(batch, lookback, k) for each interval, and (batch, 1, 1) the numbers of symbols."""
        ends = [rows, *(take(latest, rows) for latest in self.latest_rows)]
        pairs = zip(self.inputs, ends, strict=True)
        sequences = [take(inputs, end[:, None] + offsets) for inputs, end in pairs]
        return [*sequences, *(take(numbers, rows)[:, None, None] for numbers in self.symbols)]


class DeviceTargets(NamedTuple):
    """Targets of the outputs.

    Attributes:
        target: (n, returns + inputs), scaled.
        scale: Scale of the returns, one value for each.
    """

    target: Tensor
    scale: TargetScale


class TrainingBackend(ABC):
    """A Keras network, its optimizer and its compiled steps.

    Compiling takes almost as long as a fit, so one object serves every window of the same shape
    in a process. `reset` restores every weight, every optimizer slot and every dropout generator,
    so that no state is carried from one window to the next.

    Args:
        network: The network's configuration.
        branches: Columns of each series, for each interval.
        settings: Batch size, loss, optimizer and clipping.
        layout: Columns of the last layer.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        branches: tuple[ColumnGroups, ...],
        settings: CompileSettings,
        layout: OutputLayout,
    ) -> None:
        import keras

        self.loss = settings.loss
        self.layout = layout
        with use_numpy_initializers():
            self.model = layout.build_model(network, branches)
            self.optimizer = settings.optimizer.build(
                self.model.trainable_variables, settings.clip_norm
            )
        self.ops = keras.ops
        self.lookback_offsets = np.arange(1 - network.lookback, 1, dtype=np.int32)
        self.trainable_mask = [bool(variable.trainable) for variable in self.model.variables]
        self._weight_initializer = WeightInitializer(self.model)
        self._initial_optimizer_state = [np.array(v) for v in self.optimizer.variables]

    @cached_property
    def program(self) -> dict[str, Any] | None:
        """The forward pass as JSON, which NumPy can run; None where a layer needs Keras."""
        try:
            return trace_program(self.model).model_dump(mode="json")
        except UnsupportedLayerError:
            return None

    @property
    def name(self) -> str:
        """What Keras computes with: `tensorflow` or `jax`."""
        import keras

        return str(keras.backend.backend())

    def reset(self, seed: int, initial: Sequence[npt.NDArray[Any]] | None = None) -> None:
        """Restores the state of a new process with this seed, or with these initial weights."""
        self.set_weights(
            self._weight_initializer.draw(seed, initial), self._initial_optimizer_state
        )

    @abstractmethod
    def set_weights(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Sets all variables of the model, and those of the optimizer where given."""

    @abstractmethod
    def get_weights(self) -> Weights:
        """A copy of all variables of the model."""

    def complete_weights(self) -> tuple[npt.NDArray[Any], ...]:
        """The weights; the vector of a symbol that is not embedded is the mean of the others."""
        weights = self.get_weights()
        if self.layout.embedded:
            vectors = self.model.get_layer(SYMBOL_EMBEDDING).embeddings
            (place,) = (n for n, v in enumerate(self.model.variables) if v is vectors)
            weights[place][-1] = weights[place][:-1].mean(axis=0)
        return tuple(weights)

    @abstractmethod
    def set_inputs(
        self,
        inputs: Sequence[Floats],
        latest_rows: Sequence[npt.NDArray[Any]],
        symbols: Sequence[Floats] = (),
    ) -> None:
        """Puts the arrays of one window on the device; see `DeviceInputs`."""

    @abstractmethod
    def set_targets(self, target: Floats, scale: TargetScale) -> None:
        """Puts the targets of the outputs on the device; see `DeviceTargets`."""

    @abstractmethod
    def train_epoch(self, batches: Batches, learning_rate: float) -> float:
        """Takes one optimizer step for each batch.

        Returns:
            The mean loss of the samples during training, with the penalties on weights.
        """

    @abstractmethod
    def predict(self, batches: Batches) -> npt.NDArray[np.float32]:
        """Outputs of every row, padding included, (steps, batch_size, columns)."""

    def batch_loss(
        self, predicted: Tensor, target: Tensor, mask: Tensor, scale: TargetScale
    ) -> Tensor:
        """The loss of one batch inside a compiled step, without penalties on weights."""
        return self.layout.compute_loss(
            self.loss, self.ops, LossBatch(predicted, target, mask, scale)
        )


def copy_aligned(values: npt.NDArray[np.float32], rows: int) -> npt.NDArray[np.float32]:
    """A copy padded with rows of zeros, at an address that JAX and TensorFlow use without copying.

    From any other address JAX makes one copy and TensorFlow two, each as large as the features.

    Args:
        values: (n, ...).
        rows: Rows of the copy, at least n.
    """
    shape = (rows, *values.shape[1:])
    size = values.itemsize * prod(shape)
    memory = np.zeros(size + ALIGNMENT_BYTES, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT_BYTES
    copy = memory[start : start + size].view(values.dtype).reshape(shape)
    copy[: len(values)] = values
    return copy

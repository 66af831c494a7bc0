"""The compiled steps on TensorFlow: one graph for each epoch, traced once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from engine.models.training.backend import (
    DeviceInputs,
    DeviceTargets,
    TrainingBackend,
    copy_aligned,
)
from engine.models.training.losses import TargetScale

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.models.dataset import ColumnGroups
    from engine.models.keras_types import Tensor
    from engine.models.training.backend import Floats, Weights
    from engine.models.training.batches import Batches
    from engine.models.training.config import CompileSettings
    from engine.models.training.output_head import OutputLayout
    from engine.models.training.trainable_network import TrainableNetwork


class TensorFlowBackend(TrainingBackend):
    """Batches are gathered inside the graph, so that no sequences are stored."""

    def __init__(
        self,
        network: TrainableNetwork,
        branches: tuple[ColumnGroups, ...],
        settings: CompileSettings,
        layout: OutputLayout,
    ) -> None:
        super().__init__(network, branches, settings, layout)
        inputs = DeviceInputs(
            tuple(tf.TensorSpec((None, sum(map(len, b))), tf.float32) for b in branches),
            tuple(tf.TensorSpec((None,), tf.int32) for _ in branches[1:]),
            (tf.TensorSpec((None,), tf.float32),) if layout.embedded else (),
        )
        each = tf.TensorSpec((layout.n_returns,), tf.float32)
        target = tf.TensorSpec((None, layout.n_returns + layout.n_inputs), tf.float32)
        batches = (
            tf.TensorSpec((None, settings.batch_size), tf.int32),
            tf.TensorSpec((None, settings.batch_size), tf.bool),
        )
        inputs_and_targets = (inputs, DeviceTargets(target, TargetScale(each, each)))
        self._run_epoch = tf.function(
            self._epoch_graph, input_signature=(*inputs_and_targets, *batches)
        )
        self._run_predict = tf.function(self._predict_graph, input_signature=(inputs, *batches))
        self._inputs = DeviceInputs((), ())
        self._targets = DeviceTargets(None, TargetScale(None, None))

    def set_weights(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Assigns the values to the variables."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, optimizer or (), strict=False):
            variable.assign(value)

    def get_weights(self) -> Weights:
        """A copy of all variables of the model."""
        return [np.array(variable) for variable in self.model.variables]

    def set_inputs(
        self,
        inputs: Sequence[Floats],
        latest_rows: Sequence[npt.NDArray[Any]],
        symbols: Sequence[Floats] = (),
    ) -> None:
        """Holds the window's arrays as tensors."""
        self._inputs = DeviceInputs((), ())  # frees the previous window's arrays first
        self._inputs = DeviceInputs(
            tuple(map(_to_tensor, inputs)),
            tuple(tf.constant(rows, tf.int32) for rows in latest_rows),
            tuple(map(tf.constant, symbols)),
        )

    def set_targets(self, target: Floats, scale: TargetScale) -> None:
        """Holds the training target as a tensor."""
        self._targets = DeviceTargets(None, TargetScale(None, None))
        each = TargetScale(*(tf.constant(part, tf.float32) for part in scale))
        self._targets = DeviceTargets(_to_tensor(target), each)

    def train_epoch(self, batches: Batches, learning_rate: float) -> float:
        """Takes one optimizer step for each batch."""
        self.optimizer.learning_rate.assign(learning_rate)
        return float(self._run_epoch(self._inputs, self._targets, *map(tf.constant, batches)))

    def predict(self, batches: Batches) -> Floats:
        """Outputs of every row, padding included."""
        outputs: Floats = self._run_predict(self._inputs, *map(tf.constant, batches)).numpy()
        return outputs

    def _epoch_graph(
        self, inputs: DeviceInputs, targets: DeviceTargets, rows: Tensor, mask: Tensor
    ) -> Tensor:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(rows)[0]):
            x = inputs.sequences(rows[step], self.lookback_offsets, tf.gather)
            target = tf.gather(targets.target, rows[step])
            with tf.GradientTape() as tape:
                predicted = self.model([*x, mask[step]], training=True)
                loss = self.batch_loss(predicted, target, mask[step], targets.scale)
                loss += sum(self.model.losses)
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            total += loss * tf.reduce_sum(tf.cast(mask[step], tf.float32))
        return total / tf.reduce_sum(tf.cast(mask, tf.float32))

    def _predict_graph(self, inputs: DeviceInputs, rows: Tensor, mask: Tensor) -> Tensor:
        outputs = tf.TensorArray(tf.float32, tf.shape(rows)[0])
        for step in tf.range(tf.shape(rows)[0]):
            x = inputs.sequences(rows[step], self.lookback_offsets, tf.gather)
            outputs = outputs.write(step, self.model([*x, mask[step]], training=False))
        return outputs.stack()


def _to_tensor(values: npt.NDArray[np.float32]) -> Tensor:
    """A tensor with one copy on the host; `tf.constant` makes two and keeps both for a while."""
    copy = copy_aligned(values, len(values))
    return tf.identity(tf.experimental.dlpack.from_dlpack(copy.__dlpack__()))

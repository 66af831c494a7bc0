"""The compiled steps on TensorFlow: one graph an epoch, traced once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from engine.models.compiled import Compiled, aligned
from engine.models.losses import Batch, Scale

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.batches import Batches
    from engine.models.compiled import Weights
    from engine.models.network import Network
    from engine.models.training_spec import Steps
    from engine.models.untyped import Tensor


class TensorFlowCompiled(Compiled):
    """Batches are gathered inside the graph, so that no sequence is ever stored."""

    def __init__(
        self, network: Network, groups: tuple[tuple[int, ...], ...], steps: Steps
    ) -> None:
        super().__init__(network, groups, steps)
        columns = sum(len(group) for group in groups)
        data = (
            tf.TensorSpec((None, columns), tf.float32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((2,), tf.float32),
        )
        cut = (
            tf.TensorSpec((None, steps.batch_size), tf.int32),
            tf.TensorSpec((None, steps.batch_size), tf.bool),
        )
        self._epoch = tf.function(self._epoch_graph, input_signature=(*data, *cut))
        self._predict = tf.function(self._predict_graph, input_signature=(data[0], *cut))
        self._data: tuple[Tensor, Tensor, Tensor] = (None, None, None)

    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Assigns variable by variable."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, optimizer or (), strict=False):
            variable.assign(value)

    def weights(self) -> Weights:
        """A copy of all of the model's variables."""
        return [np.array(variable) for variable in self.model.variables]

    def see(
        self,
        inputs: npt.NDArray[np.float32],
        target: npt.NDArray[np.float32],
        scale: Scale,
    ) -> None:
        """Holds the window's arrays as tensors."""
        self._data = (None, None, None)  # the window before goes first
        self._data = (_taken(inputs), _taken(target), tf.constant(scale, tf.float32))

    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch."""
        self.optimizer.learning_rate.assign(learning_rate)
        return float(self._epoch(*self._data, *map(tf.constant, batches)))

    def predict(self, batches: Batches) -> npt.NDArray[np.float32]:
        """Outputs of every row and padding."""
        outputs: npt.NDArray[np.float32] = self._predict(
            self._data[0], *map(tf.constant, batches)
        ).numpy()
        return outputs

    def _epoch_graph(
        self, inputs: Tensor, target: Tensor, scale: Tensor, rows: Tensor, real: Tensor
    ) -> Tensor:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(rows)[0]):
            x = tf.gather(inputs, rows[step][:, None] + self.offsets)
            with tf.GradientTape() as tape:
                predicted = self.model([x, real[step]], training=True)
                seen = Batch(
                    predicted, tf.gather(target, rows[step]), real[step], Scale(*tf.unstack(scale))
                )
                loss = self.loss.value(self.ops, seen) + sum(self.model.losses)
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            total += loss * tf.reduce_sum(tf.cast(real[step], tf.float32))
        return total / tf.reduce_sum(tf.cast(real, tf.float32))

    def _predict_graph(self, inputs: Tensor, rows: Tensor, real: Tensor) -> Tensor:
        outputs = tf.TensorArray(tf.float32, tf.shape(rows)[0])
        for step in tf.range(tf.shape(rows)[0]):
            x = tf.gather(inputs, rows[step][:, None] + self.offsets)
            outputs = outputs.write(step, self.model([x, real[step]], training=False))
        return outputs.stack()


def _taken(values: npt.NDArray[np.float32]) -> Tensor:
    """A tensor with one copy made on the way; `tf.constant` makes two, and keeps both a while."""
    copy = aligned(values, len(values))
    return tf.identity(tf.experimental.dlpack.from_dlpack(copy.__dlpack__()))

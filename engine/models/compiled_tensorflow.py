"""The compiled steps on TensorFlow: one graph an epoch, traced once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from engine.models.compiled import Compiled, Seen, Truth, aligned
from engine.models.losses import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.models.batches import Batches
    from engine.models.compiled import Floats, Weights
    from engine.models.forecaster import Groups
    from engine.models.network import Network
    from engine.models.outputs import Outputs
    from engine.models.training_spec import Steps
    from engine.models.untyped import Tensor


class TensorFlowCompiled(Compiled):
    """Batches are gathered inside the graph, so that no sequence is ever stored."""

    def __init__(
        self, network: Network, branches: tuple[Groups, ...], steps: Steps, outputs: Outputs
    ) -> None:
        super().__init__(network, branches, steps, outputs)
        seen = Seen(
            tuple(tf.TensorSpec((None, sum(map(len, b))), tf.float32) for b in branches),
            tuple(tf.TensorSpec((None,), tf.int32) for _ in branches[1:]),
        )
        each = tf.TensorSpec((outputs.returns,), tf.float32)
        target = tf.TensorSpec((None, outputs.returns + outputs.inputs), tf.float32)
        cut = (
            tf.TensorSpec((None, steps.batch_size), tf.int32),
            tf.TensorSpec((None, steps.batch_size), tf.bool),
        )
        learnt = (seen, Truth(target, Scale(each, each)))
        self._epoch = tf.function(self._epoch_graph, input_signature=(*learnt, *cut))
        self._predict = tf.function(self._predict_graph, input_signature=(seen, *cut))
        self._seen = Seen((), ())
        self._truth = Truth(None, Scale(None, None))

    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Assigns variable by variable."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, optimizer or (), strict=False):
            variable.assign(value)

    def weights(self) -> Weights:
        """A copy of all of the model's variables."""
        return [np.array(variable) for variable in self.model.variables]

    def see(self, inputs: Sequence[Floats], latest: Sequence[npt.NDArray[Any]]) -> None:
        """Holds the window's arrays as tensors."""
        self._seen = Seen((), ())  # the window before goes first
        self._seen = Seen(
            tuple(map(_taken, inputs)), tuple(tf.constant(rows, tf.int32) for rows in latest)
        )

    def aim(self, target: Floats, scale: Scale) -> None:
        """Holds the training target as a tensor."""
        self._truth = Truth(None, Scale(None, None))
        each = Scale(*(tf.constant(part, tf.float32) for part in scale))
        self._truth = Truth(_taken(target), each)

    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch."""
        self.optimizer.learning_rate.assign(learning_rate)
        return float(self._epoch(self._seen, self._truth, *map(tf.constant, batches)))

    def predict(self, batches: Batches) -> Floats:
        """Outputs of every row and padding."""
        outputs: Floats = self._predict(self._seen, *map(tf.constant, batches)).numpy()
        return outputs

    def _epoch_graph(self, seen: Seen, truth: Truth, rows: Tensor, real: Tensor) -> Tensor:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(rows)[0]):
            x = seen.sequences(rows[step], self.offsets, tf.gather)
            target = tf.gather(truth.target, rows[step])
            with tf.GradientTape() as tape:
                predicted = self.model([*x, real[step]], training=True)
                loss = self.cost(predicted, target, real[step], truth.scale)
                loss += sum(self.model.losses)
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            total += loss * tf.reduce_sum(tf.cast(real[step], tf.float32))
        return total / tf.reduce_sum(tf.cast(real, tf.float32))

    def _predict_graph(self, seen: Seen, rows: Tensor, real: Tensor) -> Tensor:
        outputs = tf.TensorArray(tf.float32, tf.shape(rows)[0])
        for step in tf.range(tf.shape(rows)[0]):
            x = seen.sequences(rows[step], self.offsets, tf.gather)
            outputs = outputs.write(step, self.model([*x, real[step]], training=False))
        return outputs.stack()


def _taken(values: npt.NDArray[np.float32]) -> Tensor:
    """A tensor with one copy made on the way; `tf.constant` makes two, and keeps both a while."""
    copy = aligned(values, len(values))
    return tf.identity(tf.experimental.dlpack.from_dlpack(copy.__dlpack__()))

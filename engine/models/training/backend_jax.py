"""The compiled steps on JAX: XLA programs that serve windows of any length."""

from __future__ import annotations

from operator import getitem
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from engine.models.training.backend import (
    DeviceInputs,
    DeviceTargets,
    TrainingBackend,
    copy_aligned,
)
from engine.models.training.batches import Batches
from engine.models.training.losses import TargetScale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.models.dataset import ColumnGroups
    from engine.models.keras_types import Tensor
    from engine.models.training.backend import Floats, Weights
    from engine.models.training.config import CompileSettings
    from engine.models.training.output_head import OutputLayout
    from engine.models.training.trainable_network import TrainableNetwork

    Tensors: TypeAlias = list[Tensor]
    TrainState: TypeAlias = tuple[Tensors, Tensors, Tensors]

STEPS_PER_CALL = 32
"""Steps in one call; one program serves every number of steps up to this."""


class JaxBackend(TrainingBackend):
    """XLA compiles for each shape, so rows are padded to coarse sizes and steps run in chunks.

    No batch gathers a padded row, and the padded steps of a chunk are not run.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        branches: tuple[ColumnGroups, ...],
        settings: CompileSettings,
        layout: OutputLayout,
    ) -> None:
        super().__init__(network, branches, settings, layout)
        self._run_epoch = jax.jit(self._epoch_program)
        self._run_predict = jax.jit(self._predict_program)
        rates = [v is self.optimizer.learning_rate for v in self.optimizer.variables]
        self._learning_rate_index = rates.index(True)
        self._device = jax.devices()[0]
        self._state: TrainState = ([], [], [])
        self._inputs = DeviceInputs((), ())
        self._targets = DeviceTargets(None, TargetScale(None, None))

    def set_weights(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Splits the values into the groups that `stateless_call` takes."""
        by_id = {id(v): w for v, w in zip(self.model.variables, weights, strict=True)}
        trainable = [by_id[id(v)] for v in self.model.trainable_variables]
        fixed = [by_id[id(v)] for v in self.model.non_trainable_variables]
        slots = self._state[2] if optimizer is None else optimizer
        # Committed to the device like the results of a call; otherwise the next call recompiles.
        self._state = jax.device_put((trainable, fixed, slots), self._device)

    def get_weights(self) -> Weights:
        """A copy of all variables of the model."""
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        values = [*self._state[0], *self._state[1]]
        by_id = {id(v): w for v, w in zip(variables, values, strict=True)}
        return [np.array(by_id[id(v)]) for v in self.model.variables]

    def set_inputs(
        self,
        inputs: Sequence[Floats],
        latest_rows: Sequence[npt.NDArray[Any]],
        symbols: Sequence[Floats] = (),
    ) -> None:
        """Holds the window's arrays, with padded rows."""
        self._inputs = DeviceInputs((), ())  # frees the previous window's arrays first
        self._inputs = DeviceInputs(
            tuple(map(self._to_device, inputs)),
            tuple(self._to_device(rows.astype(np.int32)) for rows in latest_rows),
            tuple(map(self._to_device, symbols)),
        )

    def set_targets(self, target: Floats, scale: TargetScale) -> None:
        """Holds the training target, with padded rows."""
        self._targets = DeviceTargets(None, TargetScale(None, None))
        each = TargetScale(*(np.asarray(part, np.float32) for part in scale))
        self._targets = DeviceTargets(self._to_device(target), jax.device_put(each, self._device))

    def train_epoch(self, batches: Batches, learning_rate: float) -> float:
        """Takes one optimizer step for each batch."""
        total = jax.device_put(np.float32(0.0), self._device)
        for steps, chunk in _chunk_batches(batches):
            self._state, total = self._run_epoch(
                self._state, self._inputs, self._targets, chunk, steps, learning_rate, total
            )
            total.block_until_ready()  # each queued call would hold its own buffers
        return float(total) / int(np.sum(batches.mask))

    def predict(self, batches: Batches) -> Floats:
        """Outputs of every row, padding included."""
        outputs = np.empty((*batches.rows.shape, self.layout.n_columns), np.float32)
        start = 0
        for steps, chunk in _chunk_batches(batches):
            predicted = self._run_predict(self._state, self._inputs, chunk, steps)
            outputs[start : start + steps] = np.asarray(predicted)[:steps]
            start += steps
        return outputs

    def _to_device(self, values: npt.NDArray[Any]) -> Tensor:
        """An array on the device, with one copy on the host; `jnp.asarray` makes two."""
        copy = copy_aligned(values, _padded_length(len(values)))
        return jax.device_put(jax.dlpack.from_dlpack(copy), self._device)

    def _epoch_program(
        self,
        state: TrainState,
        inputs: DeviceInputs,
        targets: DeviceTargets,
        batches: Batches,
        steps: Tensor,
        rate: Tensor,
        total: Tensor,
    ) -> tuple[TrainState, Tensor]:
        rows, real = batches

        def loss_of(trainable: Tensors, fixed: Tensors, step: Tensor) -> tuple[Tensor, Tensors]:
            x = inputs.sequences(rows[step], self.lookback_offsets, getitem)
            predicted, fixed, penalties = self.model.stateless_call(
                trainable, fixed, [*x, real[step]], training=True, return_losses=True
            )
            target = targets.target[rows[step]]
            return self.batch_loss(predicted, target, real[step], targets.scale) + sum(
                penalties
            ), fixed

        def one_step(step: Tensor, carry: tuple[TrainState, Tensor]) -> tuple[TrainState, Tensor]:
            (trainable, fixed, slots), total = carry
            (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                trainable, fixed, step
            )
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return (trainable, fixed, slots), total + loss * jnp.sum(real[step])

        trainable, fixed, slots = state
        slots = [
            rate.astype(s.dtype) if i == self._learning_rate_index else s
            for i, s in enumerate(slots)
        ]
        carry = ((trainable, fixed, slots), total)
        result: tuple[TrainState, Tensor] = jax.lax.fori_loop(0, steps, one_step, carry)
        return result

    def _predict_program(
        self, state: TrainState, inputs: DeviceInputs, batches: Batches, steps: Tensor
    ) -> Tensor:
        trainable, fixed, _ = state
        rows, real = batches

        def one_step(step: Tensor, outputs: Tensor) -> Tensor:
            x = inputs.sequences(rows[step], self.lookback_offsets, getitem)
            predicted, _ = self.model.stateless_call(
                trainable, fixed, [*x, real[step]], training=False
            )
            return outputs.at[step].set(predicted)

        outputs = jnp.zeros((*rows.shape, self.layout.n_columns), jnp.float32)
        return jax.lax.fori_loop(0, steps, one_step, outputs)


def _padded_length(length: int) -> int:
    """Rounded up to 4,096 rows, or to 1/16 of the power of two: few lengths, few programs."""
    granularity = max(4_096, 1 << max(0, length.bit_length() - 5))
    return -(-length // granularity) * granularity


def _chunk_batches(batches: Batches) -> Iterator[tuple[int, Batches]]:
    """The batches in chunks padded to STEPS_PER_CALL steps, each with its number of real steps."""
    for start in range(0, len(batches.rows), STEPS_PER_CALL):
        rows, real = (
            batches.rows[start : start + STEPS_PER_CALL],
            batches.mask[start : start + STEPS_PER_CALL],
        )
        extra = ((0, STEPS_PER_CALL - len(rows)), (0, 0))
        yield len(rows), Batches(np.pad(rows, extra), np.pad(real, extra))

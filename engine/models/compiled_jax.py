"""The compiled steps on JAX: one XLA program an epoch, whatever the window's length."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from engine.models.batches import Batches
from engine.models.compiled import Compiled
from engine.models.losses import Batch, Scale

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.compiled import Weights
    from engine.models.network import Network
    from engine.models.training_spec import Steps
    from engine.models.untyped import Tensor

    Tensors: TypeAlias = list[Tensor]
    State: TypeAlias = tuple[Tensors, Tensors, Tensors]
    Data: TypeAlias = tuple[Tensor, Tensor, Scale]


class JaxCompiled(Compiled):
    """XLA compiles for each shape, so rows and steps are padded up to coarse sizes.

    Padded rows are gathered by no batch; padded steps are never run.
    """

    def __init__(
        self, network: Network, groups: tuple[tuple[int, ...], ...], steps: Steps
    ) -> None:
        super().__init__(network, groups, steps)
        self._epoch = jax.jit(self._epoch_program)
        self._predict = jax.jit(self._predict_program)
        rates = [v is self.optimizer.learning_rate for v in self.optimizer.variables]
        self._rate = rates.index(True)
        self._state: State = ([], [], [])
        self._data: Data = (None, None, Scale(None, None))

    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Splits the values the way `stateless_call` wants them."""
        by_id = {id(v): w for v, w in zip(self.model.variables, weights, strict=True)}
        trainable = [jnp.asarray(by_id[id(v)]) for v in self.model.trainable_variables]
        fixed = [jnp.asarray(by_id[id(v)]) for v in self.model.non_trainable_variables]
        slots = self._state[2] if optimizer is None else [jnp.asarray(v) for v in optimizer]
        self._state = (trainable, fixed, slots)

    def weights(self) -> Weights:
        """A copy of all of the model's variables."""
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        values = [*self._state[0], *self._state[1]]
        by_id = {id(v): w for v, w in zip(variables, values, strict=True)}
        return [np.array(by_id[id(v)]) for v in self.model.variables]

    def see(
        self,
        inputs: npt.NDArray[np.float32],
        target: npt.NDArray[np.float32],
        scale: Scale,
    ) -> None:
        """Holds the window's arrays, rows padded up."""
        extra = _round_up(len(target)) - len(target)
        self._data = (
            jnp.asarray(np.pad(inputs, ((0, extra), (0, 0)))),
            jnp.asarray(np.pad(target, (0, extra))),
            Scale(*map(np.float32, scale)),
        )

    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch."""
        steps = len(batches.rows)
        self._state, loss = self._epoch(
            self._state, self._data, _padded(batches), steps, learning_rate
        )
        return float(loss)

    def predict(self, batches: Batches) -> npt.NDArray[np.float32]:
        """Outputs of every row and padding."""
        steps = len(batches.rows)
        outputs = self._predict(self._state, self._data, _padded(batches), steps)
        return np.asarray(outputs)[:steps]

    def _epoch_program(
        self, state: State, data: Data, batches: Batches, steps: Tensor, rate: Tensor
    ) -> tuple[State, Tensor]:
        inputs, target, scale = data
        rows, real = batches

        def loss_of(trainable: Tensors, fixed: Tensors, step: Tensor) -> tuple[Tensor, Tensors]:
            x = inputs[rows[step][:, None] + self.offsets]
            predicted, fixed, penalties = self.model.stateless_call(
                trainable, fixed, [x, real[step]], training=True, return_losses=True
            )
            seen = Batch(predicted, target[rows[step]], real[step], scale)
            return self.loss.value(self.ops, seen) + sum(penalties), fixed

        def one_step(step: Tensor, carried: tuple[State, Tensor]) -> tuple[State, Tensor]:
            (trainable, fixed, slots), total = carried
            (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                trainable, fixed, step
            )
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return (trainable, fixed, slots), total + loss * jnp.sum(real[step])

        trainable, fixed, slots = state
        slots = [rate.astype(s.dtype) if i == self._rate else s for i, s in enumerate(slots)]
        state, total = jax.lax.fori_loop(0, steps, one_step, ((trainable, fixed, slots), 0.0))
        return state, total / jnp.sum(real)

    def _predict_program(
        self, state: State, data: Data, batches: Batches, steps: Tensor
    ) -> Tensor:
        trainable, fixed, _ = state
        rows, real = batches

        def one_step(step: Tensor, outputs: Tensor) -> Tensor:
            x = data[0][rows[step][:, None] + self.offsets]
            predicted, _ = self.model.stateless_call(
                trainable, fixed, [x, real[step]], training=False
            )
            return outputs.at[step].set(predicted)

        outputs = jnp.zeros((*rows.shape, self.outputs), jnp.float32)
        return jax.lax.fori_loop(0, steps, one_step, outputs)


def _round_up(length: int) -> int:
    """The next of 16 sizes an octave: at most 6 % of padding, few programs."""
    grain = 1 << max(0, length.bit_length() - 5)
    return -(-length // grain) * grain


def _padded(batches: Batches) -> Batches:
    extra = ((0, _round_up(len(batches.rows)) - len(batches.rows)), (0, 0))
    return Batches(np.pad(batches.rows, extra), np.pad(batches.real, extra))

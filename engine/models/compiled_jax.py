"""The compiled steps on JAX: one XLA program an epoch, whatever the window's length."""

from __future__ import annotations

from operator import getitem
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from engine.models.batches import Batches
from engine.models.compiled import Compiled, Seen, Truth, aligned
from engine.models.losses import Scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.models.compiled import Floats, Weights
    from engine.models.forecaster import Groups
    from engine.models.network import Network
    from engine.models.outputs import Outputs
    from engine.models.training_spec import Steps
    from engine.models.untyped import Tensor

    Tensors: TypeAlias = list[Tensor]
    State: TypeAlias = tuple[Tensors, Tensors, Tensors]

CHUNK = 32
"""Steps a call; one program serves every number of them."""


class JaxCompiled(Compiled):
    """XLA compiles for each shape, so rows are padded up to coarse sizes and steps run in chunks.

    Padded rows are gathered by no batch; a chunk's padded steps are never run.
    """

    def __init__(
        self, network: Network, branches: tuple[Groups, ...], steps: Steps, outputs: Outputs
    ) -> None:
        super().__init__(network, branches, steps, outputs)
        self._epoch = jax.jit(self._epoch_program)
        self._predict = jax.jit(self._predict_program)
        rates = [v is self.optimizer.learning_rate for v in self.optimizer.variables]
        self._rate = rates.index(True)
        self._device = jax.devices()[0]
        self._state: State = ([], [], [])
        self._seen = Seen((), ())
        self._truth = Truth(None, Scale(None, None))

    def load(self, weights: Weights, optimizer: Weights | None = None) -> None:
        """Splits the values the way `stateless_call` wants them."""
        by_id = {id(v): w for v, w in zip(self.model.variables, weights, strict=True)}
        trainable = [by_id[id(v)] for v in self.model.trainable_variables]
        fixed = [by_id[id(v)] for v in self.model.non_trainable_variables]
        slots = self._state[2] if optimizer is None else optimizer
        # Bound to the device like all that a call gives back; else the next one compiles anew.
        self._state = jax.device_put((trainable, fixed, slots), self._device)

    def weights(self) -> Weights:
        """A copy of all of the model's variables."""
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        values = [*self._state[0], *self._state[1]]
        by_id = {id(v): w for v, w in zip(variables, values, strict=True)}
        return [np.array(by_id[id(v)]) for v in self.model.variables]

    def see(self, inputs: Sequence[Floats], latest: Sequence[npt.NDArray[Any]]) -> None:
        """Holds the window's arrays, rows padded up."""
        self._seen = Seen((), ())  # the window before goes first
        self._seen = Seen(
            tuple(map(self._taken, inputs)),
            tuple(self._taken(rows.astype(np.int32)) for rows in latest),
        )

    def aim(self, target: Floats, scale: Scale) -> None:
        """Holds the training target, rows padded up."""
        self._truth = Truth(None, Scale(None, None))
        each = Scale(*(np.asarray(part, np.float32) for part in scale))
        self._truth = Truth(self._taken(target), jax.device_put(each, self._device))

    def epoch(self, batches: Batches, learning_rate: float) -> float:
        """One optimizer step a batch."""
        total = jax.device_put(np.float32(0.0), self._device)
        for steps, chunk in _chunks(batches):
            self._state, total = self._epoch(
                self._state, self._seen, self._truth, chunk, steps, learning_rate, total
            )
            total.block_until_ready()  # queued calls would each hold their buffers
        return float(total) / int(np.sum(batches.real))

    def predict(self, batches: Batches) -> Floats:
        """Outputs of every row and padding."""
        outputs = np.empty((*batches.rows.shape, self.outputs.columns), np.float32)
        done = 0
        for steps, chunk in _chunks(batches):
            made = self._predict(self._state, self._seen, chunk, steps)
            outputs[done : done + steps] = np.asarray(made)[:steps]
            done += steps
        return outputs

    def _taken(self, values: npt.NDArray[Any]) -> Tensor:
        """An array on the device with one copy made on the way; `jnp.asarray` makes two."""
        copy = aligned(values, _round_up(len(values)))
        return jax.device_put(jax.dlpack.from_dlpack(copy), self._device)

    def _epoch_program(
        self,
        state: State,
        seen: Seen,
        truth: Truth,
        batches: Batches,
        steps: Tensor,
        rate: Tensor,
        total: Tensor,
    ) -> tuple[State, Tensor]:
        rows, real = batches

        def loss_of(trainable: Tensors, fixed: Tensors, step: Tensor) -> tuple[Tensor, Tensors]:
            x = seen.sequences(rows[step], self.offsets, getitem)
            predicted, fixed, penalties = self.model.stateless_call(
                trainable, fixed, [*x, real[step]], training=True, return_losses=True
            )
            target = truth.target[rows[step]]
            return self.cost(predicted, target, real[step], truth.scale) + sum(penalties), fixed

        def one_step(step: Tensor, carried: tuple[State, Tensor]) -> tuple[State, Tensor]:
            (trainable, fixed, slots), total = carried
            (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                trainable, fixed, step
            )
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return (trainable, fixed, slots), total + loss * jnp.sum(real[step])

        trainable, fixed, slots = state
        slots = [rate.astype(s.dtype) if i == self._rate else s for i, s in enumerate(slots)]
        carried = ((trainable, fixed, slots), total)
        done: tuple[State, Tensor] = jax.lax.fori_loop(0, steps, one_step, carried)
        return done

    def _predict_program(
        self, state: State, seen: Seen, batches: Batches, steps: Tensor
    ) -> Tensor:
        trainable, fixed, _ = state
        rows, real = batches

        def one_step(step: Tensor, outputs: Tensor) -> Tensor:
            x = seen.sequences(rows[step], self.offsets, getitem)
            predicted, _ = self.model.stateless_call(
                trainable, fixed, [*x, real[step]], training=False
            )
            return outputs.at[step].set(predicted)

        outputs = jnp.zeros((*rows.shape, self.outputs.columns), jnp.float32)
        return jax.lax.fori_loop(0, steps, one_step, outputs)


def _round_up(length: int) -> int:
    """Multiples of 4,096 rows, later of a sixteenth of their power of two: few programs."""
    grain = max(4_096, 1 << max(0, length.bit_length() - 5))
    return -(-length // grain) * grain


def _chunks(batches: Batches) -> Iterator[tuple[int, Batches]]:
    """The batches by at most CHUNK steps, padded to that, with the steps that are none."""
    for start in range(0, len(batches.rows), CHUNK):
        rows, real = batches.rows[start : start + CHUNK], batches.real[start : start + CHUNK]
        extra = ((0, CHUNK - len(rows)), (0, 0))
        yield len(rows), Batches(np.pad(rows, extra), np.pad(real, extra))

"""Recurrent layers over (n, steps, k), with the order of gates and the options of Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference.elementwise import ELEMENTWISE
from engine.models.inference.linear import dense, matmul

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]


def lstm(
    x: Array,
    kernel: Array,
    recurrent: Array,
    bias: Array | None = None,
    *,
    activations: Sequence[str],
    sequences: bool,
) -> Array:
    """Long short-term memory; Hochreiter & Schmidhuber (1997), with forget gates.

    Args:
        x: (n, steps, k).
        kernel: (k, 4 * units), the columns of the gates i, f, the candidate, and the gate o.
        recurrent: (units, 4 * units).
        bias: (4 * units,).
        activations: Of the candidate and of the state, and of the gates.
        sequences: Return the output of each step.

    Returns:
        (n, units), or (n, steps, units).
    """
    act, gate = (ELEMENTWISE[name] for name in activations)
    units = len(recurrent)
    weights = np.concatenate([kernel, recurrent])
    state = np.zeros((len(x), units), np.float32)
    outputs = [state]  # the first is the output before the first step
    for step in x.swapaxes(0, 1):
        gates = dense(np.concatenate([step, outputs[-1]], axis=1), weights, bias)
        i, f, candidate, o = (gates[:, part * units : (part + 1) * units] for part in range(4))
        state = gate(f) * state
        state += gate(i) * act(candidate)
        outputs.append(gate(o) * act(state))
    return np.stack(outputs[1:], axis=1) if sequences else outputs[-1]


def gru(
    x: Array,
    kernel: Array,
    recurrent: Array,
    bias: Array | None = None,
    *,
    activations: Sequence[str],
    sequences: bool,
    reset_after: bool,
) -> Array:
    """Gated recurrent unit; Cho et al. (2014), EMNLP.

    Args:
        x: (n, steps, k).
        kernel: (k, 3 * units), the columns of the gates z and r, and of the candidate.
        recurrent: (units, 3 * units).
        bias: (3 * units,), or (2, 3 * units) where the reset is after: of the kernel, and of the
            recurrent kernel.
        activations: Of the candidate, and of the gates.
        sequences: As in `lstm`.
        reset_after: The gate r multiplies the product of state and kernel, not the state.

    Returns:
        (n, units), or (n, steps, units).
    """
    act, gate = (ELEMENTWISE[name] for name in activations)
    units = len(recurrent)
    input_bias, state_bias = (
        (np.float32(0),) * 2 if bias is None else bias if reset_after else (bias, np.float32(0))
    )
    state = np.zeros((len(x), units), np.float32)
    outputs: list[Array] = []
    for step in x.swapaxes(0, 1):
        of_input = matmul(step, kernel) + input_bias
        of_state = matmul(state, recurrent if reset_after else recurrent[:, : 2 * units])
        of_state += state_bias
        z, r = (
            gate(of_input[:, part] + of_state[:, part])
            for part in (slice(units), slice(units, 2 * units))
        )
        if reset_after:
            inner = r * of_state[:, 2 * units :]
        else:
            inner = matmul(r * state, np.ascontiguousarray(recurrent[:, 2 * units :]))
        candidate = act(of_input[:, 2 * units :] + inner)
        state = z * state + (np.float32(1) - z) * candidate
        outputs.append(state)
    return np.stack(outputs, axis=1) if sequences else state

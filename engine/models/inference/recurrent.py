"""Recurrent layers over (n, steps, k), with the order of gates and the options of Keras.

A step costs about eight calls of NumPy, which take longer than their arithmetic when there is one
row. So a step multiplies its input, a 1 for the bias and the output of the step before by one
matrix; all gates are written into one array, and a sigmoid is computed as
0.5 tanh(x / 2) + 0.5 together with the hyperbolic tangents: the factor 1 / 2 is in the matrix,
where it is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference.elementwise import ELEMENTWISE
from engine.models.inference.linear import column_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Layer = Callable[[Array], Array]
    Activation = Callable[[Array, Array], Any]
    Product = Callable[[Array, Array, Array], Any]

HALF = np.array(0.5, np.float32)
"""An array without axes: NumPy takes twice as long to read a scalar."""


def bind_lstm(weights: Sequence[Array], attributes: Mapping[str, Any]) -> Layer:
    """Long short-term memory; Hochreiter & Schmidhuber (1997), with forget gates.

    Args:
        weights: (k, 4 * units), the columns of the gates i, f, the candidate, and the gate o;
            (units, 4 * units); and, where there is one, the bias (4 * units,).
        attributes: `activations` of the candidate and of the state, and of the gates;
            `sequences`: whether to return the output of each step.

    Returns:
        From (n, steps, k) to (n, units), or (n, steps, units).
    """
    act, gate = attributes["activations"]
    default, units = (act, gate) == ("tanh", "sigmoid"), len(weights[1])
    act_into, gate_into = _activation(act), _gate_of_scaled(gate)
    blocks = column_blocks(_lstm_matrix(weights, _scale_of(gate)))

    def run(x: Array) -> Array:
        joined, lead, product = _join_inputs(x, units)
        values = np.zeros((*lead, 5 * units), np.float32)  # i, f, o, candidate, state
        gates, together = values[..., : 3 * units], values[..., : 4 * units]
        candidate, state = values[..., 3 * units : 4 * units], values[..., 4 * units :]
        first, second = values[..., : 2 * units], values[..., 3 * units :]
        i, f = first[..., :units], first[..., units:]
        o = values[..., 2 * units : 3 * units]
        written = [(block, values[..., part]) for block, part in blocks]
        outputs = joined[1:, ..., -units:]
        add, times, tanh = np.add, np.multiply, np.tanh
        for step, output in zip(joined, outputs, strict=False):
            for block, columns in written:
                product(step, block, columns)
            if default:
                tanh(together, together)
                times(gates, HALF, gates)
                add(gates, HALF, gates)
            else:
                gate_into(gates, gates)
                act_into(candidate, candidate)
            times(first, second, first)  # i candidate, f state
            add(i, f, state)
            act_into(state, output)
            times(output, o, output)
        return _select_outputs(outputs, x, sequences=attributes["sequences"])

    return run


def bind_gru(weights: Sequence[Array], attributes: Mapping[str, Any]) -> Layer:
    """Gated recurrent unit; Cho et al. (2014), EMNLP.

    Args:
        weights: (k, 3 * units), the columns of the gates z and r, and of the candidate;
            (units, 3 * units); and, where there is one, the bias: (3 * units,), or
            (2, 3 * units) where the reset is after, of the kernel and of the recurrent kernel.
        attributes: `activations` of the candidate, and of the gates; `sequences` as in
            `bind_lstm`; `reset_after`: the gate r multiplies the product of state and kernel,
            not the state.

    Returns:
        From (n, steps, k) to (n, units), or (n, steps, units).
    """
    act, gate = attributes["activations"]
    after, units = attributes["reset_after"], len(weights[1])
    matrix = _gru_matrix(weights, reset_after=after)
    matrix[:, : 2 * units] *= _scale_of(gate)
    act_into, gate_into = _activation(act), _gate_of_scaled(gate)
    blocks = column_blocks(matrix)
    inner_blocks = column_blocks(weights[1][:, 2 * units :])

    def run(x: Array) -> Array:
        joined, lead, product = _join_inputs(x, units)
        values = np.zeros((*lead, 4 * units), np.float32)  # z, r, of the state, of the input
        gates, z, r = values[..., : 2 * units], values[..., :units], values[..., units : 2 * units]
        of_state, of_input = values[..., 2 * units : 3 * units], values[..., 3 * units :]
        reset = np.empty((*lead, units), np.float32)
        written = [(block, values[..., part]) for block, part in blocks]
        inner = [(block, of_state[..., part]) for block, part in inner_blocks]
        states = joined[..., -units:]
        for step, before, output in zip(joined, states, states[1:], strict=False):
            for block, columns in written:
                product(step, block, columns)
            gate_into(gates, gates)
            if after:
                np.multiply(of_state, r, of_state)
            else:
                np.multiply(before, r, reset)
                for block, columns in inner:
                    product(reset, block, columns)
            np.add(of_input, of_state, of_input)
            act_into(of_input, of_input)
            np.subtract(before, of_input, of_state)
            np.multiply(of_state, z, of_state)
            np.add(of_input, of_state, output)  # candidate + z (state - candidate)
        return _select_outputs(states[1:], x, sequences=attributes["sequences"])

    return run


def _lstm_matrix(weights: Sequence[Array], scale: Array) -> Array:
    """(k + 1 + units, 4 * units): the gates i, f and o, scaled, and the candidate."""
    kernel, recurrent, *biases = weights
    units = len(recurrent)
    bias = biases[0] if biases else np.zeros(4 * units, np.float32)
    order = np.r_[: 2 * units, 3 * units : 4 * units, 2 * units : 3 * units]
    matrix = np.concatenate([kernel, bias[None], recurrent])[:, order]
    matrix[:, : 3 * units] *= scale
    return matrix


def _gru_matrix(weights: Sequence[Array], *, reset_after: bool) -> Array:
    """(k + 1 + units, 4 * units): z, r, the state's and the input's part of the candidate."""
    kernel, recurrent, *biases = weights
    none = np.zeros(kernel.shape[1], np.float32)
    bias = biases[0] if biases else none
    of_input, of_state = (bias[0], bias[1]) if bias.ndim == 2 else (bias, none)
    units = len(recurrent)
    matrix = np.zeros((len(kernel) + 1 + units, 4 * units), np.float32)
    inputs, constant, states = matrix[: len(kernel)], matrix[len(kernel)], matrix[-units:]
    inputs[:, : 2 * units], inputs[:, 3 * units :] = kernel[:, : 2 * units], kernel[:, 2 * units :]
    states[:, : 2 * units] = recurrent[:, : 2 * units]
    constant[: 2 * units] = of_input[: 2 * units] + of_state[: 2 * units]
    constant[3 * units :] = of_input[2 * units :]
    if reset_after:
        constant[2 * units : 3 * units] = of_state[2 * units :]
        states[:, 2 * units : 3 * units] = recurrent[:, 2 * units :]
    return matrix


def _join_inputs(x: Array, units: int) -> tuple[Array, tuple[int, ...], Product]:
    """Rows to multiply by the matrix: input, 1, and the output of the step before, first 0.

    Returns:
        (steps + 1, *lead, k + 1 + units); lead: () for one row, (n, 1) for n; and the function of
        rows, matrix and result. Both functions call the same product of BLAS, row by row, and
        `dot` takes half the time of `matmul` for one.
    """
    rows, steps, columns = x.shape
    lead: tuple[int, ...] = () if rows == 1 else (rows, 1)
    product: Product = np.dot if rows == 1 else np.matmul
    joined = np.empty((steps + 1, *lead, columns + 1 + units), np.float32)
    joined[:-1, ..., :columns] = x.swapaxes(0, 1).reshape(steps, *lead, columns)
    joined[..., columns] = 1
    joined[0, ..., columns + 1 :] = 0
    return joined, lead, product


def _select_outputs(outputs: Array, x: Array, *, sequences: bool) -> Array:
    """(n, units) of the last step, or (n, steps, units); contiguous."""
    rows, units = len(x), outputs.shape[-1]
    if not sequences:
        last: Array = outputs[-1].reshape(rows, units).copy()
        return last
    by_row = outputs.reshape(len(outputs), rows, units).swapaxes(0, 1)
    return np.ascontiguousarray(by_row)


def _scale_of(gate: str) -> Array:
    return HALF if gate == "sigmoid" else np.array(1, np.float32)


def _activation(name: str) -> Activation:
    """A function of an array and of the array to write to, which may be the same."""
    if name == "tanh":
        return np.tanh
    function = ELEMENTWISE[name]

    def apply(x: Array, out: Array) -> None:
        out[...] = function(x)

    return apply


def _gate_of_scaled(name: str) -> Activation:
    """The gate's activation of what `_scale_of` has scaled."""
    return _sigmoid_of_half if name == "sigmoid" else _activation(name)


def _sigmoid_of_half(x: Array, out: Array) -> None:
    """The sigmoid of 2 x: 0.5 tanh(x) + 0.5."""
    np.tanh(x, out)
    np.multiply(out, HALF, out)
    np.add(out, HALF, out)

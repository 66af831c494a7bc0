"""Recurrent layers over (n, steps, k), with the order of gates and the options of Keras.

A step costs about eight calls of NumPy, which take longer than their arithmetic when there is one
row. So a step multiplies its input, a 1 for the bias and the output of the step before by one
matrix; all gates are written into one array, and a sigmoid is computed as
0.5 tanh(x / 2) + 0.5 together with the hyperbolic tangents: the factor 1 / 2 is in the matrix,
where it is exact.

A single row leaves its steps in the layer, and the next one begins at the first step that is
another one: of a forecast whose newest bar alone is not known yet, all steps but the last can be
computed before that bar comes. The calls are the same ones, and so are the bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from engine.models.inference.elementwise import ELEMENTWISE
from engine.models.inference.linear import column_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Layer = Callable[[Array], Array]
    Activation = Callable[[Array, Array], Any]
    Product = Callable[[Array, Array, Array], Any]
    Views: TypeAlias = tuple[Any, ...]
    Step: TypeAlias = tuple[Array, Array, Views]

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

    def make_views(values: Array, following: Array) -> Views:
        gates, candidate = values[..., : 3 * units], values[..., 3 * units : 4 * units]
        first, second = values[..., : 2 * units], values[..., 3 * units : 5 * units]
        i, f, o = first[..., :units], first[..., units:], values[..., 2 * units : 3 * units]
        written = [(block, values[..., part]) for block, part in blocks]
        together, state = values[..., : 4 * units], following[..., 4 * units :]
        return written, together, gates, candidate, first, second, i, f, o, state

    def advance(steps: Iterable[Step], product: Product) -> None:
        add, times, tanh = np.add, np.multiply, np.tanh
        for step, output, views in steps:
            written, together, gates, candidate, first, second, i, f, o, state = views
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

    # The values of a step: i, f, o, candidate, state before it.
    return _Recurrence(units, 5 * units, make_views, advance, sequences=attributes["sequences"])


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

    def make_views(values: Array, _following: Array) -> Views:
        gates, z, r = values[..., : 2 * units], values[..., :units], values[..., units : 2 * units]
        of_state, of_input = (
            values[..., 2 * units : 3 * units],
            values[..., 3 * units : 4 * units],
        )
        reset = values[..., 4 * units :]
        written = [(block, values[..., part]) for block, part in blocks]
        inner = [(block, of_state[..., part]) for block, part in inner_blocks]
        return written, inner, gates, z, r, of_state, of_input, reset

    def advance(steps: Iterable[Step], product: Product) -> None:
        for step, output, views in steps:
            written, inner, gates, z, r, of_state, of_input, reset = views
            before = step[..., -units:]
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

    # The values of a step: z, r, of the state, of the input, the state times r.
    return _Recurrence(units, 5 * units, make_views, advance, sequences=attributes["sequences"])


class _Recurrence:
    """A recurrent layer.

    Args:
        units: Of the output.
        width: Values of a step.
        make_views: The parts of a step's values, and of the next step's.
        advance: Computes steps, one after another.
        sequences: Whether to return the output of each step.
    """

    def __init__(
        self,
        units: int,
        width: int,
        make_views: Callable[[Array, Array], Views],
        advance: Callable[[Iterable[Step], Product], None],
        *,
        sequences: bool,
    ) -> None:
        self._units, self._width, self._sequences = units, width, sequences
        self._make_views, self._advance = make_views, advance
        self._spare: list[_SingleRow] = []  # one for each thread that predicts at once

    def __call__(self, x: Array) -> Array:
        """From (n, steps, k) to (n, units), or (n, steps, units)."""
        if len(x) == 1:
            return self._run_single(x)
        rows, steps, columns = x.shape
        joined = _join_rows((steps, rows, 1), columns, self._units)
        joined[:-1, ..., :columns] = x.swapaxes(0, 1).reshape(steps, rows, 1, columns)
        values = np.zeros((rows, 1, self._width), np.float32)
        views, outputs = self._make_views(values, values), joined[1:, ..., -self._units :]
        self._advance(
            ((step, each, views) for step, each in zip(joined, outputs, strict=False)), np.matmul
        )
        return _select_outputs(outputs, rows, sequences=self._sequences)

    def _run_single(self, x: Array) -> Array:
        """Computes the steps from the first that is not that of the row before."""
        row = self._take_row(*x.shape[1:])
        first = row.replace_inputs(x[0])
        self._advance(row.steps[first:], np.dot)
        result = _select_outputs(row.outputs, 1, sequences=self._sequences)
        self._spare.append(row)
        return result

    def _take_row(self, steps: int, columns: int) -> _SingleRow:
        """The row before, or a new one where another thread has it or its shape differs."""
        try:
            row = self._spare.pop()
        except IndexError:
            return self._make_row(steps, columns)
        return row if row.inputs.shape == (steps, columns) else self._make_row(steps, columns)

    def _make_row(self, steps: int, columns: int) -> _SingleRow:
        joined = _join_rows((steps,), columns, self._units)
        joined[:, :columns] = np.nan  # equal to no input
        values = np.zeros((steps + 1, self._width), np.float32)
        outputs = joined[1:, -self._units :]
        views = map(self._make_views, values[:-1], values[1:])
        return _SingleRow(
            joined[:-1, :columns], outputs, [*zip(joined[:-1], outputs, views, strict=True)]
        )


@dataclass(frozen=True, eq=False)
class _SingleRow:
    """The steps of one row.

    Attributes:
        inputs: (steps, k).
        outputs: (steps, units).
        steps: What `advance` takes, in arrays that hold the inputs and the outputs too.
    """

    inputs: Array
    outputs: Array
    steps: list[Step]

    def replace_inputs(self, inputs: Array) -> int:
        """Takes other inputs, and returns the first step that differs; a NaN differs."""
        same = (self.inputs == inputs).all(axis=1)
        first = len(same) if same.all() else int(same.argmin())
        self.inputs[first:] = inputs[first:]
        return first


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


def _join_rows(lead: tuple[int, ...], columns: int, units: int) -> Array:
    """Rows to multiply by the matrix: input, 1, and the output of the step before, first 0.

    `lead` is the number of steps, for one row, or (steps, n, 1) for n: `np.dot` of one and
    `np.matmul` of n call the same product of BLAS, row by row, and `dot` takes half the time for
    one.

    Returns:
        (steps + 1, ..., columns + 1 + units), the outputs of each step in the row after it.
    """
    joined = np.empty((lead[0] + 1, *lead[1:], columns + 1 + units), np.float32)
    joined[..., columns] = 1
    joined[0, ..., columns + 1 :] = 0
    return joined


def _select_outputs(outputs: Array, rows: int, *, sequences: bool) -> Array:
    """(n, units) of the last step, or (n, steps, units); contiguous, and a copy."""
    units = outputs.shape[-1]
    if not sequences:
        last: Array = outputs[-1].reshape(rows, units).copy()
        return last
    return outputs.reshape(len(outputs), rows, units).swapaxes(0, 1).copy()


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

"""A network as a value: a list of operations that NumPy runs, a chunk of rows at a time.

Neither this module nor those it needs import Keras, TensorFlow or JAX.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, JsonValue, field_validator

from engine.core.types import Spec
from engine.models.inference.linear import attention_weights
from engine.models.inference.operations import MATRICES, OPERATIONS, bind_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Weights = Sequence[npt.NDArray[Any]]
    _Step = tuple[Callable[..., Any], tuple[int, ...], int, tuple[int, ...]]


FEW_ROWS = 8
"""Fewest rows of a chunk of several; a single row is a chunk of its own."""

MANY_ROWS = 128
"""Rows of a chunk from which padding takes longer than a chunk more."""


class Operation(Spec):
    """One operation of a program.

    Attributes:
        kind: Name in the table of operations.
        inputs: Numbers of the values it reads.
        weights: Positions of its weights in the list of the model's variables.
        attributes: Its settings.
    """

    kind: str
    inputs: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    attributes: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("kind")
    @classmethod
    def _check_known(cls, kind: str) -> str:
        if kind not in OPERATIONS:
            raise ValueError(f"unknown operation {kind!r}; a newer engine wrote this program")
        return kind


class NetworkProgram(Spec):
    """A trained network's forward pass, without its weights.

    Values are numbered: first the inputs, one for each interval; then the row of `real`, True for
    every row; then the result of each operation.

    A row's outputs have the same bits whatever other rows are computed with it: chunks are one row
    or padded to `FEW_ROWS` times a power of two, and no operation mixes rows, depends on a row's
    place, or adds in an order that depends on the number of rows.

    Attributes:
        input_shapes: (lookback, columns) of each interval.
        operations: In an order in which each reads earlier values only.
        output: Number of the value that is the prediction.
        layers: Number of the value that each named layer gives.
        chunk_rows: Rows that are computed together in a long forecast.
    """

    input_shapes: tuple[tuple[int, int], ...]
    operations: tuple[Operation, ...]
    output: int
    layers: dict[str, int] = Field(default_factory=dict)
    chunk_rows: int = Field(ge=1)

    def bind(self, weights: Weights, *, layer: str | None = None) -> BoundProgram:
        """The program with its weights, prepared for many calls.

        Args:
            weights: One array for each of the model's variables, in the order of the model.
            layer: Return the output of this layer instead.

        Raises:
            KeyError: The network has no layer of that name.
        """
        return BoundProgram(self, weights, self.output if layer is None else self.layers[layer])

    def run(
        self, weights: Weights, inputs: Sequence[Floats], *, layer: str | None = None
    ) -> Floats:
        """Predicts rows once: `bind` and `BoundProgram.run`.

        Args:
            weights: As in `bind`.
            inputs: (n, lookback, k) for each interval.
            layer: As in `bind`.
        """
        return self.bind(weights, layer=layer).run(inputs)

    def attention_weights(self, weights: Weights, inputs: Sequence[Floats]) -> list[Floats]:
        """The weights of each attention layer over steps: (n, heads, steps, keys), in its order.

        Args:
            weights: As in `bind`.
            inputs: (n, lookback, k) for each interval.
        """
        found = []
        for step in self.operations:
            if step.kind == "attention":
                query, key = (
                    BoundProgram(self, weights, read).run(inputs) for read in step.inputs[:2]
                )
                settings: dict[str, Any] = dict(step.attributes)
                found.append(attention_weights(query, key, **settings))
        return found

    @property
    def matrices(self) -> tuple[int, ...]:
        """Positions of the weights that rows are multiplied by, ascending: no bias among them."""
        positions = {
            position
            for step in self.operations
            for position in step.weights[: MATRICES.get(step.kind, 0)]
        }
        return tuple(sorted(positions))

    def required_operations(self, number: int) -> list[tuple[int, Operation]]:
        """Numbers and operations of which a value depends, in their order."""
        first = len(self.input_shapes) + 1
        required = {number}
        steps = []
        for index in reversed(range(len(self.operations))):
            if first + index in required:
                required.update(self.operations[index].inputs)
                steps.append((first + index, self.operations[index]))
        return steps[::-1]


class BoundProgram:
    """A program with its weights: what depends on no row is computed once, here.

    Args:
        program: The forward pass.
        weights: As in `NetworkProgram.bind`.
        number: The value to return.
    """

    def __init__(self, program: NetworkProgram, weights: Weights, number: int) -> None:
        self._chunk_rows, self._number = program.chunk_rows, number
        self._values: list[Any] = [None] * (
            len(program.input_shapes) + 1 + len(program.operations)
        )
        operations = program.required_operations(number)
        readers = Counter(read for _, step in operations for read in step.inputs)
        self._steps: list[_Step] = []
        folded: set[int] = set()
        for result, step in operations:
            bound = bind_operation(
                step.kind, [weights[position] for position in step.weights], step.attributes
            )
            readers.subtract(step.inputs)
            if folded.issuperset(step.inputs):
                self._values[result] = bound(*(self._values[read] for read in step.inputs))
                folded.add(result)
                continue
            done = {read for read in step.inputs if not readers[read]} - folded - {number}
            self._steps.append((bound, step.inputs, result, tuple(done)))

    def run(self, inputs: Sequence[Floats]) -> Floats:
        """Predicts rows whose sequences are in memory.

        Args:
            inputs: (n, lookback, k) for each interval.

        Returns:
            (n, columns), or (n, ...) of a layer. NaN where an input of the row is NaN and the
            network passes it on.
        """
        count = len(inputs[0])
        if count == 1:
            return self._compute(inputs)
        outputs: Floats | None = None
        first = 0
        while outputs is None or first < count:
            size = self._chunk_size(count - first)
            rows = slice(first, min(first + size, count))
            computed = self._compute([_pad_rows(part[rows], size) for part in inputs])
            if outputs is None:
                outputs = np.empty((count, *computed.shape[1:]), np.float32)
            outputs[rows] = computed[: rows.stop - first]
            first += size
        return outputs

    def _chunk_size(self, remaining: int) -> int:
        """Rows of the next chunk: all, or half as many where more than a quarter is padding."""
        size = FEW_ROWS
        while size < remaining:
            size *= 2
        if size >= MANY_ROWS and 4 * remaining <= 3 * size:
            size //= 2
        return min(self._chunk_rows, size)

    def _compute(self, inputs: Sequence[Floats]) -> npt.NDArray[Any]:
        values = self._values.copy()
        values[: len(inputs)] = inputs
        values[len(inputs)] = np.ones(len(inputs[0]), bool)
        with np.errstate(all="ignore"):  # as in Keras, and rows of padding may divide by 0
            for function, reads, result, done in self._steps:
                values[result] = function(*[values[read] for read in reads])
                for read in done:
                    values[read] = None  # long sequences of wide networks need the memory
        computed: npt.NDArray[Any] = values[self._number]
        return computed


def _pad_rows(values: Floats, count: int) -> Floats:
    padded = np.zeros((count, *values.shape[1:]), np.float32)
    padded[: len(values)] = values
    return padded

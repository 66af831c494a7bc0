"""A network as a value: a list of operations that NumPy runs, a chunk of rows at a time.

Neither this module nor those it needs import Keras, TensorFlow or JAX.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, JsonValue, field_validator

from engine.core.types import Spec
from engine.models.inference.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector

    Floats = npt.NDArray[np.float32]
    Weights = Sequence[npt.NDArray[Any]]


FEW_ROWS = 8
"""Rows of a chunk where few rows are left: a row alone costs as much as this many."""


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

    A row's outputs have the same bits whatever other rows are computed with it: chunks are padded
    to one of two sizes, and no operation mixes rows, depends on a row's place, or adds in an order
    that depends on the number of rows.

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

    def run(
        self, weights: Weights, inputs: Sequence[Floats], *, layer: str | None = None
    ) -> Floats:
        """Predicts rows whose sequences are in memory.

        Args:
            weights: One array for each of the model's variables, in the order of the model.
            inputs: (n, lookback, k) for each interval.
            layer: Return the output of this layer instead.

        Returns:
            (n, columns), or (n, ...) of the layer. NaN where an input of the row is NaN and the
            network passes it on.

        Raises:
            KeyError: The network has no layer of that name.
        """
        return self.run_chunks(
            weights, len(inputs[0]), lambda rows: [part[rows] for part in inputs], layer=layer
        )

    def run_rows(
        self,
        weights: Weights,
        arrays: Sequence[Floats],
        ends: Sequence[IntVector],
        *,
        layer: str | None = None,
    ) -> Floats:
        """Predicts rows of which only the bars are in memory; sequences are gathered in chunks.

        Args:
            weights: As in `run`.
            arrays: (m, k) for each interval, oldest bar first.
            ends: (n,) for each interval: the newest bar of each row's sequence.
            layer: As in `run`.
        """
        offsets = [np.arange(1 - lookback, 1) for lookback, _ in self.input_shapes]

        def gather(rows: slice) -> list[Floats]:
            parts = zip(arrays, ends, offsets, strict=True)
            return [bars[end[rows, None] + offset] for bars, end, offset in parts]

        return self.run_chunks(weights, len(ends[0]), gather, layer=layer)

    def run_chunks(
        self,
        weights: Weights,
        count: int,
        gather: Callable[[slice], Sequence[Floats]],
        *,
        layer: str | None = None,
    ) -> Floats:
        """Predicts rows that a function gathers.

        Args:
            weights: As in `run`.
            count: Number of rows.
            gather: Gives the inputs of some rows, as in `run`; called in the order of the rows.
            layer: As in `run`.
        """
        number = self.output if layer is None else self.layers[layer]
        steps = self._required_steps(number)
        outputs: Floats | None = None
        first = 0
        while outputs is None or first < count:
            size = self._chunk_size(count - first)
            rows = slice(first, min(first + size, count))
            chunk = [_pad_rows(part, size) for part in gather(rows)]
            with np.errstate(all="ignore"):  # as in Keras, and rows of padding may divide by 0
                computed = _compute(steps, number, weights, chunk)
            if outputs is None:
                outputs = np.empty((count, *computed.shape[1:]), np.float32)
            outputs[rows] = computed[: rows.stop - first]
            first += size
        return outputs

    def _chunk_size(self, remaining: int) -> int:
        few = 4 * remaining <= self.chunk_rows
        return min(self.chunk_rows, FEW_ROWS) if few else self.chunk_rows

    def _required_steps(self, number: int) -> list[tuple[int, Operation]]:
        first = len(self.input_shapes) + 1
        required = {number}
        steps = []
        for index in reversed(range(len(self.operations))):
            if first + index in required:
                required.update(self.operations[index].inputs)
                steps.append((first + index, self.operations[index]))
        return steps[::-1]


def _pad_rows(values: Floats, count: int) -> Floats:
    padded = np.zeros((count, *values.shape[1:]), np.float32)
    padded[: len(values)] = values
    return padded


def _compute(
    steps: Sequence[tuple[int, Operation]],
    number: int,
    weights: Weights,
    inputs: Sequence[Floats],
) -> npt.NDArray[Any]:
    values = dict(enumerate([*inputs, np.ones(len(inputs[0]), bool)]))
    readers = Counter(read for _, step in steps for read in step.inputs)
    for result, step in steps:
        arguments = [values[read] for read in step.inputs]
        arguments += [weights[position] for position in step.weights]
        values[result] = OPERATIONS[step.kind](*arguments, **step.attributes)
        readers.subtract(step.inputs)
        for read in step.inputs:
            if not readers[read] and read != number:
                values.pop(read, None)  # long sequences of wide networks need the memory
    return values[number]

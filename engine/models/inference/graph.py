"""What the translations of layers share: values, the operations so far, and the refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from engine.core.errors import BacktestError
from engine.models.inference.program import Operation
from engine.models.inference.shapes import encode_constant

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.models.keras_types import Tensor

    Shape = tuple[int | None, ...]


class UnsupportedLayerError(BacktestError):
    """A network has a layer or an operation that only Keras can compute.

    Args:
        layer: Class and name of the layer.
        reason: What of it is not supported.
    """

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(
            f"{layer} cannot be computed without Keras",
            found=reason,
            fix="use layers of the list in docs/how-to/own-network.md, or predict with Keras",
        )


@dataclass(frozen=True, eq=False)
class Value:
    """A value of the program: its number, and its shape, None for the rows of a batch.

    Each row of the batch may be divided into `parts`, which stand below each other.
    """

    number: int
    shape: Shape
    parts: int = 1

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)


@dataclass
class Graph:
    """The operations so far.

    Attributes:
        positions: Identity of each variable of the model -> its position.
        first: Number of the first operation's value.
        operations: Those so far.
        largest: Elements of the largest value of a row.
        regrouped_by: The last layer that divided rows into parts, or joined them.
    """

    positions: dict[int, int]
    first: int
    operations: list[Operation] = field(default_factory=list)
    largest: int = 1
    regrouped_by: str = ""

    def add(
        self,
        kind: str,
        inputs: Sequence[Value],
        shape: Shape,
        weights: Sequence[Tensor] = (),
        **attributes: object,
    ) -> Value:
        """Appends an operation.

        Args:
            kind: Name in the table of operations.
            inputs: Values that it reads.
            shape: Of its result.
            weights: Variables of the model.
            attributes: Its settings, as JSON.
        """
        self.operations.append(
            Operation(
                kind=kind,
                inputs=tuple(value.number for value in inputs),
                weights=tuple(self.positions[id(variable)] for variable in weights),
                attributes=attributes,
            )
        )
        parts = {value.parts for value in inputs if value.shape[:1] == (None,)} or {1}
        if len(parts) > 1:
            raise UnsupportedLayerError(kind, "it joins rows with parts of rows")
        self.note_size((*parts, *shape))
        return Value(self.first + len(self.operations) - 1, shape, *parts)

    def regroup(self, x: Value, shape: Shape, parts: int, layer: str) -> Value:
        """Appends a division of each row into another number of parts.

        Args:
            x: The value.
            shape: Of a part, None first.
            parts: Parts of a row.
            layer: Class and name of the layer that divides it.
        """
        self.regrouped_by = layer
        added = self.add("regroup", [x], shape, sizes=list(shape[1:]))
        return Value(added.number, shape, parts)

    def note_size(self, shape: Shape) -> None:
        """Records how many elements of one row are in memory together."""
        self.largest = max(self.largest, prod(size for size in shape if size is not None))

    def constant(self, values: npt.NDArray[Any]) -> Value:
        """Appends an array that no input changes."""
        return self.add("constant", (), values.shape, **encode_constant(values))

    def variable(self, variable: Tensor, shape: Sequence[int]) -> Value:
        """Appends a weight, reshaped for broadcasting."""
        return self.add("variable", (), tuple(shape), [variable], sizes=list(shape))

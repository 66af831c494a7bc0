"""One call of a layer or operation in the graph of a Keras model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference.graph import Graph, UnsupportedLayerError, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.models.inference.graph import Shape
    from engine.models.keras_types import KerasLayer, Tensor


@dataclass(frozen=True)
class Call:
    """A layer or operation, its arguments, and the graph that its translation extends.

    Attributes:
        graph: The operations so far.
        layer: A Keras layer, or an operation of `keras.ops`.
        args: Positional arguments: values of the program in place of Keras' symbolic tensors.
        kwargs: Arguments by name.
        shapes: Shape of each output.
    """

    graph: Graph
    layer: KerasLayer
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    @property
    def shape(self) -> Shape:
        """Of the only output."""
        return self.shapes[0]

    @property
    def name(self) -> str:
        """Class and name of the layer."""
        return f"{type(self.layer).__name__} ({self.layer.name})"

    @property
    def x(self) -> Value:
        """The first argument, which has to depend on the inputs."""
        return self.values(self.args[:1])[0]

    def values(self, arguments: Sequence[Any]) -> list[Value]:
        """Arguments as values that depend on the inputs."""
        for argument in arguments:
            self.require(isinstance(argument, Value), "an argument that is not a tensor")
        return list(arguments)

    def require(self, supported: bool, reason: str) -> None:
        """Refuses the layer unless a condition holds.

        Raises:
            UnsupportedLayerError: It does not.
        """
        if not supported:
            raise UnsupportedLayerError(self.name, reason)

    def add(
        self,
        kind: str,
        inputs: Sequence[Value],
        shape: Shape | None = None,
        weights: Sequence[Tensor] = (),
        **attributes: object,
    ) -> Value:
        """`Graph.add`; the shape is that of the output unless given."""
        known = all(id(variable) in self.graph.positions for variable in weights)
        self.require(known, "a weight that is no variable of the model")
        return self.graph.add(kind, inputs, shape or self.shape, weights, **attributes)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the first, which has to be within the rows."""
        self.require(axis % rank != 0, "it works across the rows of a batch")
        return axis % rank

    def axes(self, axes: Sequence[int] | int | None, rank: int) -> list[int]:
        """Axes as in `axis`, in ascending order; None is every axis, and refused."""
        self.require(axes is not None, "it works across the rows of a batch")
        listed = [axes] if isinstance(axes, int) else list(axes or ())
        return sorted(self.axis(axis, rank) for axis in listed)

    def operand(self, argument: object) -> Value:
        """A value, or a constant as a value; floats become float32."""
        import keras

        if isinstance(argument, Value):
            return argument
        self.require(not isinstance(argument, keras.Variable), "a variable outside of a layer")
        values = np.asarray(keras.ops.convert_to_numpy(argument))
        return self.graph.constant(values if values.dtype == bool else values.astype(np.float32))

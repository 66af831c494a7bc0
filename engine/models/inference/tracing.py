"""From a built Keras model to its program, by walking the graph of its live objects."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any

from engine.models.inference.call import Call
from engine.models.inference.elementwise import ELEMENTWISE
from engine.models.inference.graph import Graph, UnsupportedLayerError, Value
from engine.models.inference.layer_translations import (
    ACCEPTED_ARGUMENTS,
    LAYER_TRANSLATIONS,
)
from engine.models.inference.op_translations import OP_TRANSLATIONS, elementwise
from engine.models.inference.program import NetworkProgram

if TYPE_CHECKING:
    from engine.models.keras_types import KerasLayer, KerasModel, Tensor

__all__ = ["UnsupportedLayerError", "trace_program"]

CHUNK_ELEMENTS = 131_072
"""About as many elements of one value are in memory together."""

MAX_CHUNK_ROWS = 128
"""Past this, recurrent networks gain nothing, and their gates leave the cache."""


def trace_program(model: KerasModel) -> NetworkProgram:
    """The program of a network's forward pass for inference.

    Dropout and noise are left out; batch normalisation uses its moving statistics.

    Args:
        model: Of `Network.build_model`: inputs (batch, lookback, k) for each interval, then
            `real` (batch,); one output (batch, columns).

    Raises:
        UnsupportedLayerError: The model has a layer or operation that is not supported.
    """
    *sequences, _ = model.inputs
    positions = {id(variable): index for index, variable in enumerate(model.variables)}
    graph = Graph(positions, first=len(model.inputs))
    inputs = [Value(number, tuple(x.shape)) for number, x in enumerate(model.inputs)]
    layers: dict[str, int] = {}
    (output,) = _trace_model(graph, model, inputs, layers)
    if output.parts != 1:
        raise UnsupportedLayerError(model.name, "its outputs are of parts of rows")
    sizes = [graph.largest, *(prod(x.shape[1:]) for x in sequences)]
    return NetworkProgram(
        input_shapes=tuple(tuple(x.shape[1:]) for x in sequences),
        operations=tuple(graph.operations),
        output=output.number,
        layers=layers,
        chunk_rows=min(MAX_CHUNK_ROWS, max(1, CHUNK_ELEMENTS // max(sizes))),
    )


def _trace_model(
    graph: Graph, model: KerasModel, inputs: list[Value], layers: dict[str, int]
) -> list[Value]:
    values = dict(zip(map(id, model.inputs), inputs, strict=True))
    # Keras' own order of execution, for which it has no public name.
    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if node.is_input or not all(id(x) in values for x in node.input_tensors):
                continue
            args, kwargs = node.arguments.fill_in(values)
            shapes = tuple(tuple(x.shape) for x in node.outputs)
            call = Call(graph, node.operation, args, kwargs, shapes)
            _check_call(call, node.outputs)
            results = _trace_call(call)
            values.update(zip(map(id, node.outputs), results, strict=True))
            if not _is_automatic(node.operation):
                layers[node.operation.name] = results[0].number
    return [values[id(x)] for x in model.outputs]


def _check_call(call: Call, outputs: list[Tensor]) -> None:
    for output in outputs:
        call.require(output.dtype in {"float32", "bool"}, f"results of type {output.dtype}")
    own = type(call.layer).__module__.startswith("keras.src.")
    call.require(own, "a class that is not part of Keras")


def _trace_call(call: Call) -> list[Value]:
    traced = _translate(call)
    return traced if isinstance(traced, list) else [traced]


def _translate(call: Call) -> Value | list[Value]:
    import keras

    layer = call.layer
    name = type(layer).__name__
    if isinstance(layer, keras.Model):
        model = getattr(layer, "_functional", layer)  # that of a `keras.Sequential`
        call.require(hasattr(model, "_nodes_by_depth"), "a model that is not functional")
        return _trace_model(call.graph, model, keras.tree.flatten(call.args), {})
    if isinstance(layer, keras.Layer):
        call.require(name in LAYER_TRANSLATIONS, "this layer is not supported")
        _check_arguments(call, name)
        return LAYER_TRANSLATIONS[name](call)
    if name in OP_TRANSLATIONS:
        return OP_TRANSLATIONS[name](call)
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    call.require(kind in ELEMENTWISE, "this operation is not supported")
    return elementwise(call, kind)


def _check_arguments(call: Call, name: str) -> None:
    accepted = ACCEPTED_ARGUMENTS.get(name, frozenset())
    given = [key for key, value in call.kwargs.items() if value is not None and value is not False]
    unknown = sorted({*given} - accepted)
    call.require(not unknown, f"the argument {', '.join(unknown)}")
    extra = [value for value in call.args[1:] if value is not None]
    call.require(name == "MultiHeadAttention" or not extra, "several arguments")


def _is_automatic(layer: KerasLayer) -> bool:
    given: Any = re.sub(r"_\d+$", "", layer.name).replace("_", "")
    return bool(given.lower() == type(layer).__name__.lower())
